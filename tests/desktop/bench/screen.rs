//! What is on the screen, read from the display's own memory: no driver, no page and no product code says
//! that something was painted.

use std::{fs::File, io::Read, os::unix::fs::FileExt, path::Path};

/// Places in the display's file (X Window Dump, all big-endian), counted in words of four bytes.
const HEADER_SIZE: usize = 0;
const HEIGHT: usize = 5;
const BYTES_PER_LINE: usize = 12;
const COLOURS: usize = 19;
const HEADER_WORDS: usize = 25;
const BYTES_PER_COLOUR: u64 = 12;
/// Every line would cost more than it tells.
const EACH_LINE: u64 = 8;

/// A display that keeps its picture in a file.
pub struct Screen {
    file: File,
    begin: u64,
    bytes_per_line: u64,
    height: u64,
}

impl Screen {
    pub fn of(folder: &Path) -> Self {
        let mut file = File::open(folder.join("Xvfb_screen0")).unwrap();
        let mut header = [0; HEADER_WORDS * 4];
        file.read_exact(&mut header).unwrap();
        let word = |at: usize| u64::from(u32::from_be_bytes(header[at * 4..at * 4 + 4].try_into().unwrap()));
        Self {
            begin: word(HEADER_SIZE) + word(COLOURS) * BYTES_PER_COLOUR,
            bytes_per_line: word(BYTES_PER_LINE),
            height: word(HEIGHT),
            file,
        }
    }

    /// How many points of every eighth line have this colour, red first.
    pub fn count(&self, [red, green, blue]: [u8; 3]) -> usize {
        let mut line = vec![0; usize::try_from(self.bytes_per_line).unwrap()];
        let lines =
            (0..self.height / EACH_LINE).map(|number| self.begin + number * EACH_LINE * self.bytes_per_line);
        lines
            .map(|place| {
                self.file.read_exact_at(&mut line, place).unwrap();
                line.chunks_exact(4).filter(|point| point[..3] == [blue, green, red]).count()
            })
            .sum()
    }
}
