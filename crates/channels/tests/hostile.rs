//! A few thousand changed messages for every reader of every registered channel: the quick relative of the fuzz
//! targets, which go on where this ends.

use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::hostile::{Kind, Prey};
use paycore::time::SeededRng;
use paycore_channels::REGISTRY;

/// Changed copies of each honest message.
const COPIES: usize = 40;

static KEYRING: NativeKeyring = NativeKeyring;

#[test]
fn no_changed_message_makes_a_reader_panic() {
    let rng = SeededRng::new(3);
    for driver in REGISTRY {
        let Some(mut prey) = Prey::new(*driver, &KEYRING).unwrap() else { continue };
        for kind in Kind::ALL {
            let seeds: Vec<Vec<u8>> = prey.seeds(kind).map(<[u8]>::to_vec).collect();
            println!("{} {}: {} honest messages", prey.channel(), kind.name(), seeds.len());
            for seed in &seeds {
                prey.feed(kind, seed);
                for _ in 0..COPIES {
                    prey.feed(kind, &changed(seed, &rng));
                }
            }
        }
        assert!(prey.seeds(Kind::Reply).count() > 4, "{} answers", prey.channel());
        assert!(prey.seeds(Kind::Request).count() > 4, "{} asks", prey.channel());
    }
}

/// A copy with some bytes changed, doubled or lost.
fn changed(seed: &[u8], rng: &SeededRng) -> Vec<u8> {
    let mut copy = seed.to_vec();
    let below =
        |bound: usize| usize::try_from(rng.next_u64() % bound.max(1) as u64).expect("it is below a usize");
    for _ in 0..=below(4) {
        let (at, end) = (below(copy.len()), below(copy.len()));
        match below(5) {
            0 if !copy.is_empty() => copy[at] ^= 1 << below(8),
            1 if !copy.is_empty() => copy[at] = rng.next_u64().to_le_bytes()[0],
            2 => copy.truncate(at),
            3 if at < end => drop(copy.drain(at..end)),
            _ if at < end => copy.splice(end..end, copy[at..end].to_vec()).for_each(drop),
            _ => {}
        }
    }
    copy
}
