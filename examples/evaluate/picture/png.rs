//! A grey picture as a `data:` address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::{self, Write};

/// Of `columns` pixels a row.
pub(crate) fn data_address(columns: usize, grey: &[u8]) -> io::Result<String> {
    let columns = columns.max(1);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in grey.chunks_exact(columns) {
        // Each row says first how it is filtered: not at all.
        packed.write_all(&[0])?;
        packed.write_all(row)?;
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::new();
    head.extend((columns as u32).to_be_bytes());
    head.extend(((grey.len() / columns) as u32).to_be_bytes());
    // 8 bits, grey, the only compression and filter there are, not interlaced.
    head.extend([8, 0, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &head);
    chunk(&mut file, *b"IDAT", &packed.finish()?);
    chunk(&mut file, *b"IEND", &[]);
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(file)))
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut checksum = flate2::Crc::new();
    checksum.update(&kind);
    checksum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(checksum.sum().to_be_bytes());
}
