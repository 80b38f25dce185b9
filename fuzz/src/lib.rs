//! What the targets share. Every registered channel is fuzzed by being registered: `PAYCORE_FUZZ_CHANNEL` names the
//! one to feed; with `all`, or without it, the first byte of the input picks one. With `PAYCORE_FUZZ_SEEDS` naming a
//! folder, the honest messages of every channel are written there, `<kind>/<channel>/<number>`, and nothing is fuzzed.
//! What simulators are asked goes to `request/all`: they are for tests, and share one run.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::path::Path;
use std::{env, fs};

use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::hostile::{Kind, Prey};
use paycore_channels::{READERS, REGISTRY};

static KEYRING: NativeKeyring = NativeKeyring;

thread_local! {
    static PREY: RefCell<Vec<Prey>> = RefCell::new(hunt());
}

fn hunt() -> Vec<Prey> {
    let only = env::var("PAYCORE_FUZZ_CHANNEL").ok();
    let wanted =
        REGISTRY.iter().filter(|driver| only.as_ref().is_none_or(|only| *only == driver.profile().id));
    let prey = wanted.filter_map(|driver| match Prey::new(*driver, &KEYRING) {
        Ok(prey) => prey,
        Err(why) => panic!("{why}"),
    });
    prey.collect()
}

/// Before the first input.
pub fn begin() {
    let Some(folder) = env::var_os("PAYCORE_FUZZ_SEEDS") else { return };
    let folder = Path::new(&folder);
    PREY.with_borrow(|all| (0..).zip(all).for_each(|(place, prey)| write_seeds(place, prey, folder)));
    for (name, sample, _) in READERS {
        write_seed(&folder.join("dialect").join(name), "sample", sample);
    }
    std::process::exit(0);
}

fn write_seeds(place: u8, prey: &Prey, folder: &Path) {
    for kind in Kind::ALL {
        let (of_kind, channel) = (folder.join(kind.name()), prey.channel());
        for (number, seed) in prey.seeds(kind).enumerate() {
            if kind == Kind::Request {
                let picked = [&[place], seed].concat();
                write_seed(&of_kind.join("all"), &format!("{channel}{number:03}"), &picked);
            } else {
                write_seed(&of_kind.join(channel), &format!("{number:03}"), seed);
            }
        }
    }
}

fn write_seed(folder: &Path, name: &str, seed: &[u8]) {
    fs::create_dir_all(folder).expect("the folder of the seeds can be made");
    fs::write(folder.join(name), seed).expect("a seed can be written");
}

/// One input for a reader that channels share: the one `PAYCORE_FUZZ_CHANNEL` names, or all.
pub fn feed_readers(data: &[u8]) {
    thread_local! {
        static ONLY: Option<String> = env::var("PAYCORE_FUZZ_CHANNEL").ok();
    }
    ONLY.with(|only| {
        let wanted = READERS.iter().filter(|(name, ..)| only.as_ref().is_none_or(|only| only == name));
        wanted.for_each(|(.., read)| read(data));
    });
}

/// One input.
pub fn feed(kind: Kind, data: &[u8]) {
    PREY.with_borrow_mut(|all| match all.as_mut_slice() {
        [] => {}
        [only] => only.feed(kind, data),
        many => {
            let Some((first, data)) = data.split_first() else { return };
            let count = many.len();
            many[usize::from(*first) % count].feed(kind, data);
        }
    });
}
