use super::*;

const MAP: &[u8] = b"00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/a-b c\n\
    7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n\
    7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n\
    7ffd00021000-7ffd00022000 rwxp 00000000 00:00 0                          [stack]\n\
    7ffd00080000-7ffd00082000 r-xp 00000000 00:00 0                          [vdso]\n\
    ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

fn area_in(map: &[u8], address: usize, piece: usize) -> Option<Area> {
    let mut reader = Reader::new(address);
    map.chunks(piece).for_each(|piece| reader.take(piece));
    reader.found()
}

#[test]
fn an_area_reaches_from_gap_to_gap() {
    let stack = Area { low: 0x7ffd_0000_0000, high: 0x7ffd_0002_2000, end_below: 0x7f00_0002_1000 };
    let first = Area { low: 0x0040_0000, high: 0x0045_2000, end_below: 0 };
    for piece in [1, 7, 64, MAP.len()] {
        for address in [stack.low, 0x7ffd_0002_0fff, 0x7ffd_0002_1000, stack.high - 1] {
            assert_eq!(area_in(MAP, address, piece), Some(stack), "{address:#x} in pieces of {piece}");
        }
        for outside in [0, first.low - 1, first.high, stack.low - 1, stack.high, usize::MAX] {
            assert_eq!(area_in(MAP, outside, piece), None, "{outside:#x} in pieces of {piece}");
        }
        assert_eq!(area_in(MAP, first.low, piece), Some(first));
    }
    assert_eq!(area_in(b"", 1, 1), None);
}

#[test]
fn it_reads_the_map_of_this_process() {
    let local = 0_u8;
    let here = (&raw const local).addr();
    let area = area_at(here).expect("there is /proc");
    assert!(area.contains(here) && area.end_below < area.low && area.end_below != 0, "{area:x?}");
}
