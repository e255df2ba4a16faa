use super::*;

const ORDINARY: Host = Host {
    code_signing: Some(0),
    entitlements: Entitlements::Harmless,
    darwin: Some(24),
    translated: false,
    forked: false,
};
const HARDENED: Host = Host { code_signing: Some(CS_PLATFORM_BINARY), ..ORDINARY };

#[test]
fn an_ordinary_process_gets_ports() {
    assert!(ORDINARY.verdict().is_ok());
}

#[test]
fn a_hardened_process_gets_them_unless_its_entitlements_forbid_or_hide_it() {
    for flags in [CS_PLATFORM_BINARY, CS_RUNTIME, CS_PLATFORM_BINARY | CS_RUNTIME] {
        let hardened = Host { code_signing: Some(flags), ..ORDINARY };
        assert!(hardened.verdict().is_ok(), "{hardened:?}");
        for entitlements in [Entitlements::OnlyOneExceptionPort, Entitlements::Unknown] {
            assert!(Host { entitlements, ..hardened }.verdict().is_err());
        }
    }
    assert!(HARDENED.verdict().expect("it does").contains("EXCEPTION_STATE"));
}

#[test]
fn entitlements_that_do_not_bind_do_not_matter() {
    assert!(Host { entitlements: Entitlements::OnlyOneExceptionPort, ..ORDINARY }.verdict().is_ok());
}

#[test]
fn unknown_code_signing_counts_as_hardened() {
    let unknown = Host { code_signing: None, ..ORDINARY };
    assert!(unknown.is_hardened());
    assert!(Host { entitlements: Entitlements::Unknown, ..unknown }.verdict().is_err());
}

#[test]
fn translated_and_forked_processes_get_none() {
    for host in [ORDINARY, HARDENED] {
        assert!(Host { translated: true, ..host }.verdict().is_err());
        assert_eq!(Host { forked: true, ..host }.verdict(), Err(FORKED));
    }
}

#[test]
fn behaviors_are_forbidden_to_hardened_processes_from_macos_14_on() {
    for (darwin, forbidden) in [(Some(22), false), (Some(23), true), (Some(25), true), (None, true)] {
        assert_eq!(Host { darwin, ..HARDENED }.forbids_behaviors(), forbidden, "Darwin {darwin:?}");
        assert!(!Host { darwin, ..ORDINARY }.forbids_behaviors());
    }
}
