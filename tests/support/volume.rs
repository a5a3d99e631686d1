//! Volumes and label trees as files hold them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

/// Bytes of `NAME.TYPE.raw`, or of `NAME.TYPE.raw.gz` unpacked.
fn raw_bytes(folder: &Path, name: &str, kind: &str) -> Vec<u8> {
    let plain = folder.join(format!("{name}.{kind}.raw"));
    if plain.is_file() {
        return fs::read(plain).unwrap();
    }
    let packed = folder.join(format!("{name}.{kind}.raw.gz"));
    let bytes = fs::read(&packed).unwrap_or_else(|error| panic!("{name}: {error}"));
    gunzip(&bytes)
}

/// A label map of bytes.
pub fn read_labels(folder: &Path, name: &str) -> Vec<u8> {
    raw_bytes(folder, name, "u8")
}

/// A map of little-endian single-precision numbers.
pub fn read_floats(folder: &Path, name: &str) -> Vec<f32> {
    let bytes = raw_bytes(folder, name, "f32");
    let (words, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{name} ends inside a number");
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

/// A tree file: `node_id,parent_id,name,leaf_label`.
pub struct TreeFile {
    /// -1 for the root.
    pub parent: Vec<i32>,
    pub names: Vec<String>,
    /// Labels of the leaves, ascending: class `c` is `labels[c]`.
    pub labels: Vec<u8>,
    pub leaf_of_class: Vec<usize>,
}

impl TreeFile {
    pub fn read(folder: &Path, file: &str) -> Self {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let mut leaves: Vec<(u8, usize)> = Vec::new();
        let (mut parent, mut names) = (Vec::new(), Vec::new());
        for (node, line) in text.lines().skip(1).enumerate() {
            let (head, leaf) = line.rsplit_once(',').unwrap();
            let mut fields = head.splitn(3, ',');
            assert_eq!(fields.next().unwrap().parse(), Ok(node), "{file}");
            parent.push(fields.next().unwrap().parse().unwrap());
            names.push(fields.next().unwrap().trim_matches('"').to_string());
            if !leaf.is_empty() {
                leaves.push((leaf.parse().unwrap(), node));
            }
        }
        leaves.sort_unstable();
        Self {
            parent,
            names,
            labels: leaves.iter().map(|&(label, _)| label).collect(),
            leaf_of_class: leaves.iter().map(|&(_, node)| node).collect(),
        }
    }

    pub fn class_of(&self, label: u8) -> usize {
        self.labels.binary_search(&label).unwrap_or_else(|_| panic!("label {label} has no leaf"))
    }

    pub fn node_named(&self, name: &str) -> usize {
        let mut names = self.names.iter();
        names.position(|other| other == name).unwrap_or_else(|| panic!("no node {name}"))
    }
}

/// The one member of a gzip file (RFC 1952).
pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    assert_eq!(bytes[..3], [0x1f, 0x8b, 8], "not gzip");
    let flags = bytes[3];
    let mut begin = 10;
    if flags & 4 != 0 {
        begin += 2 + usize::from(u16::from_le_bytes([bytes[begin], bytes[begin + 1]]));
    }
    // Name and comment end with a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            begin += 1 + bytes[begin..].iter().position(|&byte| byte == 0).unwrap();
        }
    }
    begin += if flags & 2 == 0 { 0 } else { 2 };
    let end = bytes.len() - 8;
    let unpacked = inflate(&bytes[begin..end]);
    let (trailer, _) = bytes[end..].as_chunks();
    let [crc, length] = [trailer[0], trailer[1]].map(u32::from_le_bytes);
    assert_eq!(length as usize, unpacked.len(), "length of the gzip member");
    assert_eq!(crc, crc32(&unpacked), "checksum of the gzip member");
    unpacked
}

/// A zlib stream (RFC 1950); its checksum is not looked at.
pub fn unzlib(bytes: &[u8]) -> Vec<u8> {
    assert_eq!(bytes[0] & 15, 8, "not zlib");
    inflate(&bytes[2..bytes.len() - 4])
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Bits of a deflate stream, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> usize {
        let byte = self.bytes[self.position / 8];
        let bit = (byte >> (self.position % 8)) & 1;
        self.position += 1;
        usize::from(bit)
    }

    fn number(&mut self, bits: usize) -> usize {
        (0..bits).fold(0, |number, place| number | (self.bit() << place))
    }

    /// Skips to the next whole byte and takes some.
    fn take(&mut self, count: usize) -> &[u8] {
        let begin = self.position.div_ceil(8);
        self.position = (begin + count) * 8;
        &self.bytes[begin..begin + count]
    }
}

/// A canonical Huffman code: how many words there are of each length, and their symbols in order.
struct Huffman {
    count: [usize; 16],
    symbols: Vec<usize>,
}

impl Huffman {
    fn new(lengths: &[usize]) -> Self {
        let mut count = [0; 16];
        for &length in lengths {
            count[length] += 1;
        }
        count[0] = 0;
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|&s| lengths[s] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[symbol]);
        Self { count, symbols }
    }

    fn decode(&self, bits: &mut Bits<'_>) -> usize {
        // The first word of this length, and the place of its symbol.
        let (mut word, mut first, mut place) = (0, 0, 0);
        for &count in &self.count[1..] {
            word = (word << 1) | bits.bit();
            first <<= 1;
            if word < first + count {
                return self.symbols[place + word - first];
            }
            first += count;
            place += count;
        }
        panic!("no such word in the code");
    }
}

/// A deflate stream (RFC 1951).
fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Bits { bytes, position: 0 };
    let mut unpacked = Vec::new();
    loop {
        let last = bits.bit() == 1;
        match bits.number(2) {
            0 => {
                let (length, _) = bits.take(4).split_at(2);
                let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
                unpacked.extend_from_slice(bits.take(length));
            }
            1 => {
                let lengths: Vec<usize> = (0..288)
                    .map(|symbol| match symbol {
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    })
                    .collect();
                let codes = (Huffman::new(&lengths), Huffman::new(&[5; 30]));
                inflate_block(&mut bits, &codes, &mut unpacked);
            }
            2 => {
                let codes = read_codes(&mut bits);
                inflate_block(&mut bits, &codes, &mut unpacked);
            }
            _ => panic!("reserved block type"),
        }
        if last {
            return unpacked;
        }
    }
}

/// The two codes of a dynamic block.
fn read_codes(bits: &mut Bits<'_>) -> (Huffman, Huffman) {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let literals = bits.number(5) + 257;
    let distances = bits.number(5) + 1;
    let code_lengths = bits.number(4) + 4;
    let mut lengths = [0; 19];
    for &symbol in &ORDER[..code_lengths] {
        lengths[symbol] = bits.number(3);
    }
    let code = Huffman::new(&lengths);
    let mut lengths: Vec<usize> = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match code.decode(bits) {
            16 => (*lengths.last().unwrap(), 3 + bits.number(2)),
            17 => (0, 3 + bits.number(3)),
            18 => (0, 11 + bits.number(7)),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times));
    }
    let (literals, distances) = lengths.split_at(literals);
    (Huffman::new(literals), Huffman::new(distances))
}

/// Literals and copies of what lies behind, up to the end of the block.
fn inflate_block(
    bits: &mut Bits<'_>,
    (literals, distances): &(Huffman, Huffman),
    unpacked: &mut Vec<u8>,
) {
    loop {
        let symbol = literals.decode(bits);
        if symbol < 256 {
            unpacked.push(symbol as u8);
            continue;
        }
        if symbol == 256 {
            return;
        }
        let length = match symbol - 257 {
            28 => 258,
            code @ 0..8 => code + 3,
            code => with_extra_bits(bits, code, 4) + 3,
        };
        let distance = match distances.decode(bits) {
            code @ 0..4 => code + 1,
            code => with_extra_bits(bits, code, 2) + 1,
        };
        let begin = unpacked.len() - distance;
        // The copy may run into itself.
        for place in begin..begin + length {
            unpacked.push(unpacked[place]);
        }
    }
}

/// Codes beyond the first come in groups of `group`, each group with one extra bit more.
fn with_extra_bits(bits: &mut Bits<'_>, code: usize, group: usize) -> usize {
    let extra = code / group - 1;
    ((group + code % group) << extra) + bits.number(extra)
}
