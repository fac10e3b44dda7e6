// ANCHOR: part
//! A part of an open file, which is read piece by piece.

use std::{
    fs::File,
    io::{self, prelude::*, ErrorKind, SeekFrom},
};

/// How much of a file is read at once, and in memory, in bytes.
pub const PIECE: u64 = 64 * 1024;

/// A part of an open file that is still to be sent.
#[derive(Debug)]
pub struct Part {
    file: File,
    left: u64,
}

impl Part {
    /// From the byte with number `first`, so many bytes.
    ///
    /// # Errors
    ///
    /// If the file has no such place, as a pipe has none.
    pub fn new(mut file: File, first: u64, length: u64) -> io::Result<Part> {
        file.seek(SeekFrom::Start(first))?;
        Ok(Part { file, left: length })
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        self.left
    }

    /// Reads its next piece, and leaves the rest, if there is one. This may wait for a disk.
    ///
    /// # Errors
    ///
    /// If it cannot be read; also if the file has become too short for it.
    pub fn read(mut self) -> io::Result<(Vec<u8>, Option<Part>)> {
        let length = self.left.min(PIECE);
        let mut piece = Vec::with_capacity(length as usize);
        (&mut self.file).take(length).read_to_end(&mut piece)?;
        if piece.len() as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= length;
        Ok((piece, (self.left > 0).then_some(self)))
    }
}
// ANCHOR_END: part
