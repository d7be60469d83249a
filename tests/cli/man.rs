//! `nsl man`

use super::*;

/// The page as a reader sees it through man(1), which says that it is UTF-8; what the formatter complains of is a failure. Where there is no groff, that is said.
fn rendered(path: &Path) -> Option<String> {
    let output = Command::new("groff").args(["-Kutf8", "-man", "-Tutf8", "-ww", "-P-cbou"]).arg(path).output();
    let Ok(output) = output else {
        assert!(std::env::var_os("NSL_REQUIRE_ALL").is_none(), "groff is not installed");
        eprintln!("skipped: groff is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_command_has_a_page() {
    let dir = folder(&[]);
    let output = finish(nsl(&["man", dir.path().to_str().expect("UTF-8")]));
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:#?}");
    for name in ["nsl.1", "nsl-run.1", "nsl-check.1", "nsl-lsp.1"] {
        assert!(dir.path().join(name).is_file(), "{name}");
    }
    for entry in std::fs::read_dir(dir.path()).expect("our own folder").flatten() {
        rendered(&entry.path());
    }
    if let Some(page) = rendered(&dir.path().join("nsl-check.1")) {
        assert!(page.contains("--target") && page.contains("NAME"), "{page}");
    }
}

#[test]
fn the_language_has_a_page() {
    let dir = folder(&[]);
    let output = finish(nsl(&["man", "--language", dir.path().to_str().expect("UTF-8")]));
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:#?}");
    if let Some(page) = rendered(&dir.path().join("nsl.5")) {
        assert!(page.contains("memory.max = …") && page.contains("user_namespaces(7)"), "{page}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_refused() {
    finish(nsl(&["man", "/nowhere/at/all"])).refuses(2, "man-unwritable");
}
