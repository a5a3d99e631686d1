use crate::measure::Measured;
use crate::options::Options;
use anyhow::Result;
use std::path::Path;
pub(crate) fn write(_p: &Path, _c: &Measured, _o: &Options) -> Result<()> {
    Ok(())
}
