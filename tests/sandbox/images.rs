//! Images: layers are laid over each other as they say, checked, and never lead out; file systems in files leave nothing behind.

use std::fs;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::stage::have;
use super::*;

/// An archive in the making.
struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Layer {
        Layer(tar::Builder::new(Vec::new()))
    }

    /// An entry of any kind; the name is taken as it is.
    fn entry(mut self, kind: EntryType, name: &str, link: &str, mode: u32, content: &[u8]) -> Layer {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_mtime(1_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        self.0.append(&header, content).expect("memory");
        self
    }

    fn file(self, name: &str, content: &str) -> Layer {
        self.entry(EntryType::Regular, name, "", 0o644, content.as_bytes())
    }

    fn dir(self, name: &str) -> Layer {
        self.entry(EntryType::Directory, name, "", 0o755, b"")
    }

    fn link(self, name: &str, to: &str) -> Layer {
        self.entry(EntryType::Symlink, name, to, 0o777, b"")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("memory")
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect::<String>())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Compressed in two frames, with one between them that is to be skipped.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let (first, second) = bytes.split_at(bytes.len() / 3);
    let skipped = [0x184D_2A50_u32.to_le_bytes(), 3_u32.to_le_bytes()].concat();
    let part = |it| compress_to_vec(it, CompressionLevel::Fastest);
    [part(first), skipped, b"not".to_vec(), part(second)].concat()
}

/// An image layout as files, the layers compressed by gzip, not, and by zstd in turn, and the digest of its manifest.
fn layout(layers: &[Vec<u8>]) -> (Vec<(String, Vec<u8>)>, String) {
    let mut files = Vec::new();
    let mut blob = |bytes: Vec<u8>| {
        let (digest, size) = (digest(&bytes), bytes.len());
        files.push((format!("blobs/sha256/{}", &digest[7..]), bytes));
        format!("\"digest\": \"{digest}\", \"size\": {size}")
    };
    let content: Vec<String> = layers.iter().map(|it| format!("\"{}\"", digest(it))).collect();
    let archives: Vec<Vec<u8>> =
        layers.iter().zip([gzip, <[u8]>::to_vec, zstd].iter().cycle()).map(|(it, pack)| pack(it)).collect();
    let named: Vec<String> = archives.into_iter().map(|it| format!("{{{}}}", blob(it))).collect();
    let config = blob(
        format!("{{\"os\": \"linux\", \"rootfs\": {{\"type\": \"layers\", \"diff_ids\": [{}]}}}}", content.join(", "))
            .into_bytes(),
    );
    let manifest =
        format!("{{\"schemaVersion\": 2, \"config\": {{{config}}}, \"layers\": [{}]}}", named.join(", ")).into_bytes();
    let name = digest(&manifest);
    let manifest = blob(manifest);
    files
        .push(("index.json".into(), format!("{{\"schemaVersion\": 2, \"manifests\": [{{{manifest}}}]}}").into_bytes()));
    files.push(("oci-layout".into(), b"{\"imageLayoutVersion\": \"1.0.0\"}".to_vec()));
    (files, name)
}

fn write(dir: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("below a folder")).expect("our own folder");
        fs::write(path, bytes).expect("our own folder");
    }
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut layer = Layer::new();
    for (name, bytes) in files {
        layer = layer.entry(EntryType::Regular, name, "", 0o644, bytes);
    }
    layer.bytes()
}

/// Three layers with everything that layers can say.
fn layers() -> Vec<Vec<u8>> {
    let base = Layer::new()
        .dir("./")
        .dir("app/")
        .file("app/old", "old\n")
        .file("app/gone", "gone\n")
        .file("opaque/lower", "lower\n")
        .file("opaque/deep/lower", "lower\n")
        .entry(EntryType::Regular, "app/run", "", 0o755, b"#!/bin/sh\necho ran\n")
        .link("shortcut", "app")
        .entry(EntryType::Link, "app/second", "app/old", 0o644, b"");
    let middle = Layer::new()
        .file("app/.wh.gone", "")
        .file("app/old", "new\n")
        .file("shortcut/through", "through\n")
        .dir("opaque/")
        .file("opaque/upper", "upper\n")
        .file("opaque/.wh..wh..opq", "");
    let top =
        Layer::new().file("absent/.wh.nothing", "").file("/absolute", "inside\n").file("made/deep/file", "deep\n");
    [base, middle, top].map(Layer::bytes).to_vec()
}

const LOOK: &str = "cat /app/old /app/second /app/through /absolute /made/deep/file; ls -A /app /opaque; /app/run; readlink /shortcut; \
                    stat -c '%a %Y' /app/run; (echo x >/app/new) 2>/dev/null && cat /app/new || echo refused";
const SEEN: &str =
    "new\nold\nthrough\ninside\ndeep\n/app:\nold\nrun\nsecond\nthrough\n\n/opaque:\nupper\nran\napp\n755 1000000";

fn with_programs(stage: Stage) -> Stage {
    ["mount /usr = bind(ro)", "link /bin = \"usr/bin\"", "link /lib = \"usr/lib\"", "link /lib64 = \"usr/lib64\""]
        .iter()
        .fold(stage, |stage, line| stage.line("mnt", line))
}

fn of(who: Who, root: &str) -> Stage {
    with_programs(Stage::new(who).line("mnt", &format!("root = {root}")))
}

/// Loop devices that have a file of this stage.
fn loops(stage: &Stage) -> Vec<String> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let files = devices.filter_map(|it| fs::read_to_string(it.path().join("loop/backing_file")).ok());
    files.filter(|it| it.contains(&stage.token())).collect()
}

both! {
    fn a_layout(who) {
        let (files, name) = layout(&layers());
        let stage = of(who, "image(./image)");
        write(&stage.path("image"), &files);
        assert_eq!(stage.sh(LOOK).out(), format!("{SEEN}\nrefused"));
        let stage = stage.line("mnt", &format!("root = image(./image, rw, digest: \"{name}\")"));
        assert_eq!(stage.sh(LOOK).out(), format!("{SEEN}\nx"));
        // Changes are gone with the run.
        assert_eq!(stage.sh("ls /app").out(), "old\nrun\nsecond\nthrough");
    }

    fn an_archive_of_a_layout(who) {
        let (files, _) = layout(&layers());
        let stage = of(who, "image(./image.tar)").file("image.tar", 0o600, archive(&files));
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(stage.path("image.tar"), Some(who.uid()), None).expect("our own file");
        }
        assert_eq!(stage.sh(LOOK).out(), format!("{SEEN}\nrefused"));
    }

    /// As `docker save` wrote it: named by `manifest.json`, a layer that two images share as a link.
    fn an_archive_of_docker(who) {
        let layers = layers();
        let content: Vec<String> = layers.iter().map(|it| format!("\"{}\"", digest(it))).collect();
        let config = format!("{{\"rootfs\": {{\"diff_ids\": [{}]}}}}", content.join(", "));
        let manifest = "[{\"Config\": \"c.json\", \"RepoTags\": [\"app:1\"], \"Layers\": [\"0/layer.tar\", \"1/layer.tar\", \"2/layer.tar\"]}]";
        let tar = Layer::new()
            .file("manifest.json", manifest)
            .file("c.json", &config)
            .entry(EntryType::Regular, "shared/layer.tar", "", 0o644, &layers[0])
            .link("0/layer.tar", "../shared/layer.tar")
            .entry(EntryType::Regular, "1/layer.tar", "", 0o644, &layers[1])
            .entry(EntryType::Regular, "2/layer.tar", "", 0o644, &layers[2]);
        let stage = of(who, &format!("image(./image.tar, digest: \"{}\")", digest(config.as_bytes()))).file("image.tar", 0o644, tar.bytes());
        assert_eq!(stage.sh(LOOK).out(), format!("{SEEN}\nrefused"));
        let stage = stage.line("mnt", &format!("root = image(./image.tar, digest: \"{}\")", digest(b"another")));
        stage.sh("echo ran").ends(125).says("nsl::image-failed").says(&stage.place("image("));
    }

    fn what_was_changed_is_refused(who) {
        let (files, name) = layout(&layers());
        let tampered = |at: usize| {
            let mut files = files.clone();
            let last = files[at].1.len() / 2;
            files[at].1[last] ^= 1;
            files
        };
        // The three layers, the configuration, the manifest.
        for at in 0..5 {
            let stage = of(who, "image(./image)");
            write(&stage.path("image"), &tampered(at));
            stage.sh("echo ran").ends(125).says("nsl::image-failed").says(&stage.place("image("));
        }
        let stage = of(who, &format!("image(./image, digest: \"{}\")", digest(name.as_bytes())));
        write(&stage.path("image"), &files);
        stage.sh("echo ran").ends(125).says("nsl::image-failed");
    }

    /// Names and links that lead out of the tree end in it, or end the run.
    fn hostile_layers(who) {
        let out = |stage: &Stage| stage.path("victim").display().to_string();
        let stage = Stage::new(who).folder("victim").file("victim/kept", 0o666, "kept\n");
        let victim = out(&stage);
        let up = format!("../../../../../../../..{victim}");
        let cases: [(&str, Layer, bool); 8] = [
            ("a name with ..", Layer::new().file("../../../../victim", "x"), false),
            ("a deep name with ..", Layer::new().file("a/../../b", "x"), false),
            ("a link and a file in it", Layer::new().link("out", &up).file("out/made", "x"), false),
            ("an absolute link", Layer::new().link("out", &victim).file("out/made", "x"), false),
            ("a file over a link", Layer::new().link("out", &format!("{up}/kept")).file("out", "x"), true),
            ("a hard link out", Layer::new().entry(EntryType::Link, "hard", &format!("{up}/kept"), 0o644, b""), false),
            ("a hard link through a link", Layer::new().link("out", &victim).entry(EntryType::Link, "hard", "out/kept", 0o644, b""), false),
            ("a whiteout of ..", Layer::new().file("a/.wh...", ""), false),
        ];
        for (what, layer, runs) in cases {
            let image = of(who, "image(./image)");
            write(&image.path("image"), &layout(&[layer.bytes()]).0);
            let outcome = image.sh("echo ran");
            assert_eq!(outcome.code(), if runs { 0 } else { 125 }, "{what}: {outcome:?}");
            let found: Vec<_> = fs::read_dir(&victim).expect("our own folder").flatten().map(|it| it.file_name()).collect();
            assert_eq!(found, ["kept"], "{what}");
            assert_eq!(fs::read_to_string(stage.path("victim/kept")).expect("our own file"), "kept\n", "{what}");
        }
    }

    /// Device nodes and set-user-id bits of an image give nothing.
    fn no_devices_of_an_image(who) {
        let layer = Layer::new()
            .entry(EntryType::Char, "null", "", 0o666, b"")
            .entry(EntryType::Fifo, "fifo", "", 0o644, b"")
            .entry(EntryType::Regular, "su", "", 0o4755, b"x");
        let stage = of(who, "image(./image)");
        write(&stage.path("image"), &layout(&[layer.bytes()]).0);
        assert_eq!(stage.sh("test -e /null || echo none; test -p /fifo && echo fifo; grep -o ' / / [a-z,]*' /proc/self/mountinfo | grep -c nosuid,nodev").out(), "none\nfifo\n1");
    }

    fn an_image_has_a_size(who) {
        let layer = Layer::new().entry(EntryType::Regular, "big", "", 0o644, &vec![7; 3 << 20]);
        let stage = of(who, "image(./image, size: 2MiB)");
        write(&stage.path("image"), &layout(&[layer.bytes()]).0);
        stage.sh("echo ran").ends(125).says("nsl::image-failed").says("size: 4GiB");
        let stage = stage.line("mnt", "root = image(./image, size: 4MiB)");
        assert_eq!(stage.sh("stat -c %s /big").out(), "3145728");
    }

    fn no_images(who) {
        let stage = of(who, "image(./image)").file("image", 0o644, "#!/bin/sh\n");
        stage.sh("echo ran").ends(125).says("nsl::image-failed").says("neither squashfs");
        let stage = of(who, "image(./folder)").folder("folder");
        stage.sh("echo ran").ends(125).says("nsl::image-failed").says("no index.json");
        of(who, "image(./missing)").sh("echo ran").ends(2).says("nsl::source-missing");
    }

    fn a_file_system_in_a_file(who) {
        for (tool, name) in [("mksquashfs", "squashfs"), ("mkfs.erofs", "erofs")] {
            if !have(tool) {
                // The virtual machine has neither the tools nor the modules.
                if !stage::in_vm() {
                    skip(module_path!(), &format!("{tool} is not installed"));
                }
                continue;
            }
            if !fs::read_to_string("/proc/filesystems").unwrap_or_default().contains(name) || !Path::new("/dev/loop-control").exists() {
                skip(module_path!(), &format!("this kernel has no {name}, or no loop devices"));
                continue;
            }
            let stage = of(who, "image(./disk)").folder("tree/app").file("tree/app/file", 0o644, "there\n");
            let (tree, disk) = (stage.path("tree"), stage.path("disk"));
            let mut make = std::process::Command::new(tool);
            if name == "erofs" { make.args([&disk, &tree]) } else { make.args([&tree, &disk]) };
            let made = make.output().expect("it is installed");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let outcome = stage.sh("cat /app/file; touch /app/new 2>/dev/null || echo refused");
            match who {
                Who::Root => {
                    assert_eq!(outcome.out(), "there\nrefused");
                    let digest = digest(&fs::read(&disk).expect("our own file"));
                    let pinned = stage.line("mnt", &format!("root = image(./disk, digest: \"{digest}\")"));
                    assert_eq!(pinned.sh("cat /app/file").out(), "there");
                    assert!(loops(&pinned).is_empty(), "{:?}", loops(&pinned));
                    let writable = pinned.line("mnt", "root = image(./disk, rw)");
                    writable.sh("echo ran").ends(125).says("read-only");
                    assert!(loops(&writable).is_empty(), "{:?}", loops(&writable));
                }
                Who::User => drop(outcome.ends(125).says("nsl::image-failed").says("takes root")),
            }
        }
    }
}
