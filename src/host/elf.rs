//! What an ELF file says of what it needs to be started: elf(5), ld.so(8).

use std::fs::File;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadRef};

/// More entries than any program has; a hostile file may name as many as it likes.
const MOST_NEEDED: usize = 512;
/// The longest path or name that is taken, bytes: PATH_MAX.
const LONGEST: usize = 4096;

/// What a file needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The program that the kernel starts beside it: PT_INTERP.
    pub interpreter: Option<String>,
    /// The libraries by name: DT_NEEDED.
    pub libraries: Vec<String>,
    /// Where they are looked for first: DT_RUNPATH, DT_RPATH.
    pub run_path: Vec<String>,
}

/// What an ELF file of either size needs; `None` where it is none, or broken.
pub(super) fn needs(file: &File) -> Option<Needs> {
    let data = ReadCache::new(file);
    match FileKind::parse(&data).ok()? {
        FileKind::Elf64 => of::<FileHeader64<Endianness>, _>(&data),
        FileKind::Elf32 => of::<FileHeader32<Endianness>, _>(&data),
        _ => None,
    }
}

fn of<'d, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(data: R) -> Option<Needs> {
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let mut needs = Needs::default();
    let mut dynamic = None;
    for segment in segments {
        if let Ok(Some(path)) = segment.interpreter(endian, data) {
            needs.interpreter = text(path);
        }
        if let Ok(Some(found)) = segment.dynamic(endian, data) {
            dynamic = Some(found);
        }
    }
    let Some(dynamic) = dynamic else { return Some(needs) };
    // The table of names is given by its address in memory; the segment that holds it leads to it in the file.
    let value = |tag: i64| dynamic.iter().find(|it| it.d_tag(endian).into() == tag).map(|it| it.d_val(endian).into());
    let address: u64 = value(elf::DT_STRTAB)?;
    let size: u64 = value(elf::DT_STRSZ)?;
    let names = segments.iter().find_map(|it| it.data_range(endian, data, address, size).ok().flatten())?;
    let name = |at: u64| text(names.get(usize::try_from(at).ok()?..)?);
    for entry in dynamic.iter().take(MOST_NEEDED) {
        let offset: u64 = entry.d_val(endian).into();
        match entry.d_tag(endian).into() {
            elf::DT_NEEDED => needs.libraries.extend(name(offset)),
            elf::DT_RUNPATH | elf::DT_RPATH => {
                needs.run_path.extend(name(offset).iter().flat_map(|it| it.split(':')).map(str::to_string));
            }
            _ => {}
        }
    }
    Some(needs)
}

/// The bytes up to the first zero.
fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.split(|byte| *byte == 0).next()?;
    (!bytes.is_empty() && bytes.len() < LONGEST).then(|| String::from_utf8_lossy(bytes).into_owned())
}
