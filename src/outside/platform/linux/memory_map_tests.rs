use super::*;

const MAP: &[u8] = b"00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/a-b c\n\
    7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n\
    7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n\
    ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

fn end_below_in(map: &[u8], address: usize, piece: usize) -> usize {
    let mut reader = Reader::new(address);
    map.chunks(piece).for_each(|piece| reader.take(piece));
    reader.end
}

#[test]
fn the_mapping_before_an_address_ends_where_the_kernel_says() {
    for piece in [1, 7, 64, MAP.len()] {
        assert_eq!(end_below_in(MAP, 0x7ffd_0000_0000, piece), 0x7f00_0002_1000);
        assert_eq!(end_below_in(MAP, 0x7f00_0002_1000, piece), 0x7f00_0002_1000);
        assert_eq!(end_below_in(MAP, 0x7f00_0002_0fff, piece), 0x0045_2000);
        assert_eq!(end_below_in(MAP, 0x0040_0000, piece), 0);
        assert_eq!(end_below_in(MAP, usize::MAX, piece), 0xffff_ffff_ff60_1000);
    }
    assert_eq!(end_below_in(b"", 1, 1), 0);
}

#[test]
fn it_reads_the_map_of_this_process() {
    let local = 0_u8;
    let here = (&raw const local).addr();
    let end = end_below(here).expect("there is /proc");
    assert!(end != 0 && end <= here);
}
