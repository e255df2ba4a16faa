use super::*;

const fn darwin(text: &[u8]) -> Darwin {
    let mut bytes = [0; 32];
    let (place, _) = bytes.split_at_mut(text.len());
    place.copy_from_slice(text);
    Darwin(bytes)
}

const ORDINARY: Host = Host {
    code_signing: Some(0),
    entitlements: Entitlements::Harmless,
    darwin: darwin(b"24.5.0"),
    translated: false,
    forked: false,
};
const HARDENED: Host = Host { code_signing: Some(CS_PLATFORM_BINARY), ..ORDINARY };

fn why_not(host: Host) -> String {
    host.verdict().expect_err("no ports").to_string()
}

#[test]
fn an_ordinary_process_gets_ports() {
    assert!(!ORDINARY.verdict().expect("it does").is_hardened);
}

#[test]
fn a_hardened_process_gets_them_unless_its_entitlements_forbid_or_hide_it() {
    for flags in [CS_PLATFORM_BINARY, CS_RUNTIME, CS_PLATFORM_BINARY | CS_RUNTIME] {
        let hardened = Host { code_signing: Some(flags), ..ORDINARY };
        assert!(hardened.verdict().is_ok_and(|how| how.is_hardened), "{hardened:?}");
        for entitlements in [Entitlements::OnlyOneExceptionPort, Entitlements::Unknown] {
            assert!(Host { entitlements, ..hardened }.verdict().is_err());
        }
    }
    assert!(HARDENED.verdict().expect("it does").because.contains("EXCEPTION_STATE"));
}

#[test]
fn entitlements_that_do_not_bind_do_not_matter() {
    assert!(Host { entitlements: Entitlements::OnlyOneExceptionPort, ..ORDINARY }.verdict().is_ok());
}

#[test]
fn code_signing_that_cannot_be_read_is_no_ground_for_ports() {
    let unknown = Host { code_signing: None, ..ORDINARY };
    assert!(unknown.is_hardened());
    assert!(why_not(unknown).contains("code-signing flags cannot be read"));
}

#[test]
fn translated_and_forked_processes_get_none() {
    for host in [ORDINARY, HARDENED] {
        assert!(Host { translated: true, ..host }.verdict().is_err());
        assert_eq!(why_not(Host { forked: true, ..host }), FORKED);
    }
}

#[test]
fn a_version_that_nobody_knows_gets_none_and_is_named() {
    for text in ["26.0.0", "99.4", "19.6.0", "23", "23.", "23.x.0", ".4.0", "+23.4.0", "23.4.0 beta", "nonsense"] {
        for host in [ORDINARY, HARDENED] {
            let why = why_not(Host { darwin: darwin(text.as_bytes()), ..host });
            assert!(why.contains("releases of macOS from 11 to 26") && why.contains(text), "{why}");
        }
    }
    assert!(why_not(Host { darwin: darwin(b""), ..HARDENED }).contains("not told"));
    assert!(why_not(Host { darwin: darwin(&[b'9'; 31]), ..HARDENED }).contains("9999"));
    assert!(why_not(Host { darwin: Darwin([b'9'; 32]), ..HARDENED }).contains("not told"));
    assert!(why_not(Host { darwin: Darwin([0xff; 32]), ..HARDENED }).contains("not told"));
}

#[test]
fn each_release_says_what_makes_ports_safe() {
    for (text, word) in [
        ("20.6.0", "macOS 13 and before"),
        ("22.6.0", "macOS 13 and before"),
        ("23.0.0", "MPO_PROVISIONAL_ID_PROT_OPTOUT"),
        ("23.6.0", "MPO_PROVISIONAL_ID_PROT_OPTOUT"),
        ("24.0.0", "is one that the kernel allows it"),
        ("25.1.0", "by the sources of macOS 15"),
    ] {
        let how = Host { darwin: darwin(text.as_bytes()), ..HARDENED }.verdict().expect("ports");
        assert!(how.because.contains(word), "{text}: {}", how.because);
    }
}
