use super::*;

const MAP: &[u8] = b"00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/a-b c\n\
    7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n\
    7f0000021000-7f0000022000 ---p 00000000 00:00 0 \n\
    7f0000023000-7f0000024000 ---s 00000000 00:00 0 \n\
    7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n\
    7ffd00021000-7ffd00022000 rwxp 00000000 00:00 0                          [stack]\n\
    7ffd00080000-7ffd00082000 r-xp 00000000 00:00 0                          [vdso]\n\
    ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

fn area_in(map: &[u8], address: usize, piece: usize) -> Option<Area> {
    let mut reader = Reader::new(address);
    for piece in map.chunks(piece) {
        reader.take(piece);
        if reader.is_past {
            break;
        }
    }
    reader.found()
}

#[test]
fn an_area_reaches_from_gap_to_gap() {
    let stack = Area {
        low: 0x7ffd_0000_0000,
        high: 0x7ffd_0002_2000,
        mapped_below: 0x7f00_0002_4000,
        accessible_below: 0x7f00_0002_1000,
    };
    let first = Area { low: 0x0040_0000, high: 0x0045_2000, mapped_below: 0, accessible_below: 0 };
    for piece in [1, 7, 64, MAP.len()] {
        for address in [stack.low, 0x7ffd_0002_0fff, 0x7ffd_0002_1000, stack.high - 1] {
            assert_eq!(area_in(MAP, address, piece), Some(stack), "{address:#x} in pieces of {piece}");
        }
        for outside in [0, first.low - 1, first.high, 0x7f00_0002_1000, 0x7f00_0002_3fff, stack.low - 1, stack.high] {
            assert_eq!(area_in(MAP, outside, piece), None, "{outside:#x} in pieces of {piece}");
        }
        assert_eq!(area_in(MAP, first.low, piece), Some(first));
    }
    assert_eq!(area_in(b"", 1, 1), None);
    assert_eq!(area_in(MAP, usize::MAX, 7), None);
}

#[test]
fn what_is_above_an_area_is_not_read() {
    let count_read = |address| {
        let mut reader = Reader::new(address);
        let mut count = 0;
        for line in MAP.split_inclusive(|&byte| byte == b'\n') {
            reader.take(line);
            count += 1;
            if reader.is_past {
                break;
            }
        }
        count
    };
    // One line more, which tells that the area does not go on.
    assert_eq!(count_read(0x0040_0000), 2);
    assert_eq!(count_read(0x7f00_0000_0000), 3);
    assert_eq!(count_read(0x7ffd_0000_0000), 7);
    assert_eq!(count_read(0x1000), 8);
}

#[test]
fn a_guard_ends_an_area() {
    let map = b"1000-2000 rw-p 0 00:00 0\n2000-3000 ---p 0 00:00 0\n3000-4000 r--p 0 00:00 0\n\
        4000-5000 rw-p 0 00:00 0 \n5000-6000 ---p 0 00:00 0\n6000-7000 --xp 0 00:00 0\n";
    let area = |low, high, mapped_below, accessible_below| Some(Area { low, high, mapped_below, accessible_below });
    assert_eq!(area_in(map, 0x1fff, 1), area(0x1000, 0x2000, 0, 0));
    assert_eq!(area_in(map, 0x2000, 1), None);
    assert_eq!(area_in(map, 0x3000, 1), area(0x3000, 0x5000, 0x3000, 0x2000));
    assert_eq!(area_in(map, 0x4fff, 1), area(0x3000, 0x5000, 0x3000, 0x2000));
    assert_eq!(area_in(map, 0x5000, 1), None);
    assert_eq!(area_in(map, 0x6fff, 1), area(0x6000, 0x7000, 0x6000, 0x5000));
}

#[test]
fn it_reads_the_map_of_this_process() {
    let local = 0_u8;
    let here = (&raw const local).addr();
    let area = area_at(here).expect("there is /proc");
    assert!(area.contains(here) && area.mapped_below <= area.low && area.accessible_below < area.low, "{area:x?}");
    assert!(area.accessible_below != 0, "{area:x?}");
}
