use super::*;

const RELEASES: [Release; 7] = [
    Release::MacOs13,
    Release::MacOs14_0,
    Release::MacOs14_2,
    Release::MacOs14_4,
    Release::MacOs14_6,
    Release::MacOs15,
    Release::MacOs26,
];

#[test]
fn each_release_has_its_row() {
    for release in RELEASES {
        assert_eq!(release.row().release, release);
    }
}

#[test]
fn what_the_backend_asks_for_is_allowed_everywhere() {
    for release in RELEASES {
        for is_hardened in [false, true] {
            let answer = release.answer(State, release.port_to_use(), release.call_to_use(), is_hardened);
            assert_eq!(answer, Answer::Allowed, "{release:?}, hardened: {is_hardened}");
        }
    }
}

#[test]
fn on_14_4_and_14_6_a_state_behavior_kills_unless_the_port_is_opted_out() {
    for release in [Release::MacOs14_4, Release::MacOs14_6] {
        assert_eq!(release.answer(State, Port::Plain, Call::Set, true), Answer::Fatal);
        assert_eq!(release.answer(State, Port::Plain, Call::Swap, true), Answer::Fatal);
        assert_eq!(release.answer(State, Port::OptedOut, Call::Set, true), Answer::Allowed);
        assert_eq!(release.answer(State, Port::OptedOut, Call::Swap, true), Answer::Refused);
        assert_eq!(release.answer(IdentityProtected, Port::Plain, Call::Swap, true), Answer::Allowed);
    }
}

#[test]
fn only_darwin_23_gets_ports_that_are_opted_out() {
    for (major, minor) in (20..=25).flat_map(|major| (0..8).map(move |minor| (major, minor))) {
        let release = Release::of_darwin(major, minor).expect("known");
        assert_eq!(release.port_to_use() == Port::OptedOut, major == 23, "Darwin {major}.{minor}");
    }
}

#[test]
fn versions_that_nobody_knows_are_no_release() {
    for (major, minor) in [(0, 0), (19, 6), (26, 0), (99, 4), (u32::MAX, u32::MAX)] {
        assert_eq!(Release::of_darwin(major, minor), None);
    }
    let boundaries =
        [(0, Release::MacOs14_0), (2, Release::MacOs14_2), (4, Release::MacOs14_4), (6, Release::MacOs14_6)];
    for (minor, release) in boundaries {
        assert_eq!(Release::of_darwin(23, minor), Some(release));
        assert_eq!(Release::of_darwin(23, minor + 1), Some(release));
    }
}

#[test]
fn only_what_is_allowed_is_put_back_in_a_hardened_process() {
    let expected = [
        (Release::MacOs13, 0b1_1110),
        (Release::MacOs14_0, 0b1_0000),
        (Release::MacOs14_2, 0b1_1110),
        (Release::MacOs14_4, 0b1_0000),
        (Release::MacOs14_6, 0b1_0000),
        (Release::MacOs15, 0b11_0100),
        (Release::MacOs26, 0b11_0100),
    ];
    for (release, behaviors) in expected {
        assert_eq!(release.settable_behaviors(true), behaviors, "{release:?}");
        assert_eq!(release.settable_behaviors(false), u32::MAX);
    }
}
