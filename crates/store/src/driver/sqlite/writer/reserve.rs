//! Room kept on the disk beside the database, so that what is under way can still be recorded when the disk is
//! full: a payment that was sent to a channel has an outcome whether or not there is room for it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Enough for some hundred outcomes.
const SIZE: usize = 4 << 20;
/// There must be this much beside it before anything begins again.
const MARGIN: usize = 1 << 20;

/// A file that is only there to be given up.
pub(super) struct Reserve {
    path: PathBuf,
    kept: bool,
}

impl Reserve {
    /// Keeps room beside this database, if there is any.
    pub(super) fn beside(database: &Path) -> Reserve {
        let mut name = database.as_os_str().to_owned();
        name.push("-reserve");
        let mut reserve = Reserve { path: name.into(), kept: false };
        reserve.kept =
            fs::metadata(&reserve.path).is_ok_and(|file| file.is_file() && file.len() == SIZE as u64);
        reserve.refill();
        reserve
    }

    /// Keeps room again, if it was given up; says whether there is some now.
    pub(super) fn refill(&mut self) -> bool {
        if !self.kept {
            self.kept = self.fill().is_ok();
            if !self.kept {
                // Half a reserve only takes the room that others need.
                let _ = fs::remove_file(&self.path);
            }
        }
        self.kept
    }

    /// Gives the room up.
    pub(super) fn spend(&mut self) {
        self.kept = false;
        let _ = fs::remove_file(&self.path);
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        // Written out: a file with holes would keep nothing.
        file.write_all(&vec![0; SIZE + MARGIN])?;
        file.set_len(SIZE as u64)?;
        file.sync_all()
    }
}
