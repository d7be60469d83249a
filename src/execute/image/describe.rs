//! What an image says of itself: an index names manifests, a manifest a configuration and layers, each by its digest.
//!
//! "Image Layout" and "Image Manifest" of the OCI's image specification; `manifest.json` of `docker save` where there is no index.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::OFlags;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Layer, Section};
use crate::execute::failure::{Context, Done, Failure};
use crate::execute::mounts;

/// The longest description, bytes.
const LONGEST: u64 = 4 << 20;
/// The most files that an archive of an image may have.
const MOST_FILES: usize = 100_000;
/// The most layers of an image.
const MOST_LAYERS: usize = 512;
/// How deep indexes may name indexes.
const DEEPEST: u32 = 4;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Configuration {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// An entry of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// The files of an image.
enum Files {
    Directory(OwnedFd),
    Archive(BTreeMap<String, Section>),
}

/// The layers of an image layout.
pub fn of_directory(dir: OwnedFd, digest: Option<&str>) -> Done<Vec<Layer>> {
    let files = Files::Directory(dir);
    match files.find("index.json")? {
        Some(index) => of_index(&files, index, digest),
        None => Err(Failure::refused("the directory is no image layout: it has no index.json")),
    }
}

/// The layers of an archive.
pub fn of_archive(archive: Section, digest: Option<&str>) -> Done<Vec<Layer>> {
    let files = Files::Archive(contents(archive)?);
    if let Some(index) = files.find("index.json")? {
        return of_index(&files, index, digest);
    }
    match files.find("manifest.json")? {
        Some(manifest) => of_saved(&files, manifest, digest),
        None => Err(Failure::refused("the archive is none of an image: it has neither index.json nor manifest.json")),
    }
}

/// Where the files of an archive lie in it. A link is as good as what it leads to.
fn contents(archive: Section) -> Done<BTreeMap<String, Section>> {
    let what = || "reading the archive of the image".to_string();
    let (file, whole) = (Rc::clone(&archive.file), archive.end);
    let mut found = BTreeMap::new();
    let mut links: Vec<(String, String)> = Vec::new();
    let mut reader = tar::Archive::new(Seeking(archive));
    for entry in reader.entries_with_seek().context(what)? {
        let entry = entry.context(what)?;
        let Some(name) = plain_name(&String::from_utf8_lossy(&entry.path_bytes())) else { continue };
        match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let at = entry.raw_file_position();
                let end = at.checked_add(entry.size()).filter(|it| *it <= whole);
                let end = end.ok_or_else(|| Failure::refused("the archive of the image is cut off"))?;
                found.insert(name, Section { file: Rc::clone(&file), at, end });
            }
            tar::EntryType::Symlink | tar::EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let beside = match entry.header().entry_type() {
                    tar::EntryType::Symlink => name.rsplit_once('/').map_or("", |it| it.0),
                    _ => "",
                };
                if let Some(target) = plain_name(&format!("{beside}/{}", String::from_utf8_lossy(&target))) {
                    links.push((name, target));
                }
            }
            _ => {}
        }
        if found.len() + links.len() > MOST_FILES {
            return Err(Failure::refused("the archive of the image has too many files"));
        }
    }
    for (name, target) in links {
        if let Some(section) = found.get(&target).cloned() {
            found.insert(name, section);
        }
    }
    Ok(found)
}

/// A name without `.`, `..` and doubled slashes; `None` for one that leads out.
fn plain_name(name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// A section as a file that can be moved in, for the crate that reads archives.
struct Seeking(Section);

impl Read for Seeking {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Seek for Seeking {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        let (base, offset) = match to {
            std::io::SeekFrom::Start(at) => (at, 0),
            std::io::SeekFrom::Current(by) => (self.0.at, by),
            std::io::SeekFrom::End(by) => (self.0.end, by),
        };
        let at = base.checked_add_signed(offset).filter(|it| *it <= self.0.end);
        self.0.at = at.ok_or_else(|| std::io::Error::other("the archive is cut off"))?;
        Ok(self.0.at)
    }
}

impl Files {
    fn find(&self, name: &str) -> Done<Option<Section>> {
        match self {
            Files::Archive(files) => Ok(files.get(name).cloned()),
            Files::Directory(dir) => match mounts::open_beneath(dir.as_fd(), name, OFlags::RDONLY | OFlags::NONBLOCK) {
                Ok(file) => Section::whole(std::fs::File::from(file)).map(Some),
                Err(rustix::io::Errno::NOENT) => Ok(None),
                Err(errno) => Err(errno).context(|| format!("opening {name} of the image")),
            },
        }
    }

    /// What a digest names, with the size that goes with it.
    fn blob(&self, descriptor: &Descriptor) -> Done<Section> {
        let name = format!("blobs/sha256/{}", hex_of(&descriptor.digest)?);
        let found = self.find(&name)?.ok_or_else(|| Failure::refused(format!("the image lacks {name}")))?;
        match found.len() == descriptor.size {
            true => Ok(found),
            false => Err(Failure::refused(format!("{name} of the image has not the size that it should have"))),
        }
    }

    /// A description, which is what its digest says.
    fn description<T: for<'de> Deserialize<'de>>(&self, descriptor: &Descriptor) -> Done<T> {
        let blob = self.blob(descriptor)?;
        let bytes = read(blob)?;
        let found = hex(&Sha256::digest(&bytes));
        if found != hex_of(&descriptor.digest)? {
            return Err(mismatch(&descriptor.digest, &found));
        }
        parse(&bytes, &descriptor.digest)
    }
}

fn read(section: Section) -> Done<Vec<u8>> {
    if section.len() > LONGEST {
        return Err(Failure::refused("a description of the image is longer than 4 MiB"));
    }
    let mut bytes = Vec::new();
    { section }.read_to_end(&mut bytes).context(|| "reading a description of the image".to_string())?;
    Ok(bytes)
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], what: &str) -> Done<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::refused(format!("{what} of the image is not what it should be: {error}")))
}

fn mismatch(expected: &str, found: &str) -> Failure {
    Failure::refused(format!("the image was changed: {expected} is expected, and sha256:{found} is there"))
}

/// The digits of `sha256:…`.
fn hex_of(digest: &str) -> Done<&str> {
    let digits =
        digest.strip_prefix("sha256:").filter(|it| it.len() == 64 && it.bytes().all(|it| it.is_ascii_hexdigit()));
    digits.ok_or_else(|| Failure::refused(format!("{digest} is no SHA-256 digest")))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// Whether a whole file has this digest.
pub fn verify(section: Section, digest: &str) -> Done {
    let mut hasher = Sha256::new();
    std::io::copy(&mut { section }, &mut hasher).context(|| "reading the image".to_string())?;
    let found = hex(&hasher.finalize());
    if found == hex_of(digest)? { Ok(()) } else { Err(mismatch(digest, &found)) }
}

fn of_index(files: &Files, index: Section, digest: Option<&str>) -> Done<Vec<Layer>> {
    let index: Index = parse(&read(index)?, "index.json")?;
    let manifest = choose(files, index, digest, 0)?;
    let configuration: Configuration = files.description(&manifest.config)?;
    let contents = configuration.rootfs.diff_ids;
    if contents.len() != manifest.layers.len() || contents.len() > MOST_LAYERS {
        return Err(Failure::refused("the image's manifest and configuration do not name the same layers"));
    }
    let layers = manifest.layers.iter().zip(&contents).map(|(layer, content)| {
        Ok(Layer {
            archive: files.blob(layer)?,
            digest: Some(hex_of(&layer.digest)?.to_string()),
            content: hex_of(content)?.to_string(),
        })
    });
    layers.collect()
}

/// The one manifest that is meant.
fn choose(files: &Files, index: Index, digest: Option<&str>, depth: u32) -> Done<Manifest> {
    if depth > DEEPEST {
        return Err(Failure::refused("the indexes of the image are nested too deep"));
    }
    let here =
        |it: &Descriptor| it.platform.as_ref().is_none_or(|it| it.os == "linux" && it.architecture == architecture());
    let is_index = |it: &Descriptor| it.media_type.contains("image.index") || it.media_type.contains("manifest.list");
    let meant = |it: &Descriptor| digest.is_none_or(|digest| it.digest == digest);
    let (named, rest): (Vec<Descriptor>, Vec<Descriptor>) =
        index.manifests.into_iter().filter(here).partition(|it| meant(it));
    match named.as_slice() {
        [one] if is_index(one) => choose(files, files.description(one)?, None, depth + 1),
        [one] => files.description(one),
        [] => {
            // The one that is meant may stand in an index below.
            let nested: Vec<Descriptor> = rest.into_iter().filter(is_index).collect();
            for one in &nested {
                let inner: Index = files.description(one)?;
                if inner.manifests.iter().any(meant) {
                    return choose(files, inner, digest, depth + 1);
                }
            }
            Err(Failure::refused(match digest {
                Some(digest) => format!("{digest} is none of its images for linux/{}", architecture()),
                None => format!("there is no image for linux/{} in it", architecture()),
            }))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|it| it.digest.as_str()).collect();
            Err(Failure::refused(format!(
                "there are several images in it: name one with `digest:`: {}",
                names.join(", ")
            )))
        }
    }
}

/// This machine, by the name that images have for it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `manifest.json`: what `docker save` wrote before it wrote image layouts.
fn of_saved(files: &Files, manifest: Section, digest: Option<&str>) -> Done<Vec<Layer>> {
    let saved: Vec<Saved> = parse(&read(manifest)?, "manifest.json")?;
    let missing = |name: &str| Failure::refused(format!("the image lacks {name}"));
    let mut meant = Vec::new();
    for one in &saved {
        let bytes = read(files.find(&one.config)?.ok_or_else(|| missing(&one.config))?)?;
        let found = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        if digest.is_none_or(|it| it == found) {
            meant.push((one, bytes, found));
        }
    }
    let [(one, bytes, _)] = meant.as_slice() else {
        let names: Vec<&str> = meant.iter().map(|it| it.2.as_str()).collect();
        return Err(Failure::refused(match meant.is_empty() {
            true => format!("the image was changed, or is another: none of those in it is {}", digest.unwrap_or("one")),
            false => format!("there are several images in it: name one with `digest:`: {}", names.join(", ")),
        }));
    };
    let configuration: Configuration = parse(bytes, &one.config)?;
    if configuration.rootfs.diff_ids.len() != one.layers.len() || one.layers.len() > MOST_LAYERS {
        return Err(Failure::refused("the image's manifest and configuration do not name the same layers"));
    }
    let layers = one.layers.iter().zip(&configuration.rootfs.diff_ids).map(|(name, content)| {
        let archive = files.find(&plain_name(name).unwrap_or_default())?.ok_or_else(|| missing(name))?;
        Ok(Layer { archive, digest: None, content: hex_of(content)?.to_string() })
    });
    layers.collect()
}
