//! Buffers that are used again: a fresh one costs a page fault for every 4 KiB of it, and the kernel has to clear the page first.

use bytes::Bytes;
use parking_lot::Mutex;

/// Bytes of a buffer. Two or three of them fit into a core's own cache, so what was just read is sent from there.
pub(crate) const SIZE: usize = 256 * 1024;

/// How many buffers wait to be used again.
const IDLE_BUFFERS: usize = 16;

static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer. It goes back among the idle ones when the last who has a part of it is done.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// [`SIZE`] bytes; fewer where only few were asked for.
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// With nothing in it yet.
    pub(crate) fn empty() -> Self {
        let idle = IDLE.lock().pop();
        Self { bytes: idle.unwrap_or_else(|| vec![0; SIZE]), filled: 0 }
    }

    /// To be overwritten with exactly so many bytes, at most [`SIZE`].
    pub(crate) fn of(length: usize) -> Self {
        let length = length.min(SIZE);
        // What is short is not worth a whole buffer for as long as a slow client takes.
        if length < SIZE / 4 {
            return Self { bytes: vec![0; length], filled: length };
        }
        let mut buffer = Self::empty();
        buffer.filled = length;
        buffer
    }

    /// Copies as much of `more` as there is room for; says how much that is.
    pub(crate) fn append(&mut self, more: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.filled..).unwrap_or_default();
        let taken = more.len().min(room.len());
        if let (Some(room), Some(more)) = (room.get_mut(..taken), more.get(..taken)) {
            room.copy_from_slice(more);
        }
        self.filled += taken;
        taken
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.bytes.len()
    }

    /// The part that is filled, to be overwritten.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.filled).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        Self::from_owner(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() == SIZE {
            let mut idle = IDLE.lock();
            if idle.len() < IDLE_BUFFERS {
                idle.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_shows_what_was_put_into_it() {
        let mut buffer = Buffer::empty();
        assert!(buffer.as_ref().is_empty());
        assert_eq!(buffer.append(b"abc"), 3);
        assert_eq!(buffer.append(&vec![1; SIZE]), SIZE - 3);
        assert!(buffer.is_full());
        assert_eq!(buffer.append(b"more"), 0);
        assert_eq!(buffer.as_ref().get(..4), Some(b"abc\x01".as_slice()));
    }

    #[test]
    fn a_buffer_that_was_used_before_shows_nothing_of_it() {
        for byte in [1, 2, 3] {
            let mut buffer = Buffer::empty();
            assert!(buffer.as_ref().is_empty());
            assert_eq!(buffer.append(&[byte; 10]), 10);
            assert_eq!(Bytes::from(buffer), vec![byte; 10]);
        }
    }

    #[test]
    fn idle_buffers_are_bounded() {
        drop((0..2 * IDLE_BUFFERS).map(|_| Buffer::of(SIZE)).collect::<Vec<_>>());
        assert!(IDLE.lock().len() <= IDLE_BUFFERS);
        assert_eq!(Buffer::of(7).as_mut().len(), 7);
        assert_eq!(Buffer::of(SIZE - 1).as_mut().len(), SIZE - 1);
    }
}
