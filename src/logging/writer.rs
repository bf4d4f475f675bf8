//! A writer that never makes its caller wait and never fails.
//!
//! It is a bounded queue and a thread that writes. Messages that do not fit into the queue, because
//! nobody reads stderr, and messages that cannot be written, because the disk is full or the reader
//! is gone, are lost and counted. `tracing-appender` has the same queue, but at its end it prints
//! to stdout and stderr itself: that panics if they are closed, and waits forever if nobody reads
//! them.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

/// Most messages waiting to be written.
const QUEUE: usize = 4096;
/// Most bytes of these messages together.
const QUEUE_BYTES: usize = 1 << 20;
/// How often the thread does its other work.
const TURN: Duration = Duration::from_secs(1);
/// How often a flush tries again to get into a full queue.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Accepts messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogQueue {
    sender: SyncSender<WriterCommand>,
    waiting: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum WriterCommand {
    Write(Vec<u8>),
    /// Answered when everything before it has been written or is lost.
    Flush(SyncSender<()>),
}

impl LogQueue {
    /// Starts the thread that writes to `out`; it also calls `beside` once a second.
    pub fn start(
        out: impl Write + Send + 'static,
        beside: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, orders) = mpsc::sync_channel(QUEUE);
        let queue = Self { sender, waiting: Arc::default(), lost: Arc::default() };
        let (waiting, lost) = (Arc::clone(&queue.waiting), Arc::clone(&queue.lost));
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            write_all(&orders, out, beside, &waiting, &lost);
        })?;
        Ok(queue)
    }

    /// Queues a message, or counts it as lost.
    pub fn send(&self, message: &[u8]) {
        let waiting = self.waiting.fetch_add(message.len(), Ordering::Relaxed);
        let fits = waiting + message.len() <= QUEUE_BYTES;
        if !fits || self.sender.try_send(WriterCommand::Write(message.to_owned())).is_err() {
            self.waiting.fetch_sub(message.len(), Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything queued before has been written, at most for `most`; returns whether
    /// it has.
    pub fn flush(&self, most: Duration) -> bool {
        let end = Instant::now() + most;
        let (tell, told) = mpsc::sync_channel(1);
        while self.sender.try_send(WriterCommand::Flush(tell.clone())).is_err() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(TRY_AGAIN);
        }
        told.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok()
    }

    /// Messages lost since start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn write_all(
    orders: &Receiver<WriterCommand>,
    mut out: impl Write,
    mut beside: impl FnMut(),
    waiting: &AtomicUsize,
    lost: &AtomicU64,
) {
    let mut next = Instant::now() + TURN;
    loop {
        match orders.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(WriterCommand::Write(message)) => {
                let written = out.write_all(&message).and_then(|()| out.flush());
                waiting.fetch_sub(message.len(), Ordering::Relaxed);
                lost.fetch_add(u64::from(written.is_err()), Ordering::Relaxed);
            }
            Ok(WriterCommand::Flush(tell)) => {
                // The waiting caller may have given up.
                let _ = tell.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= next {
            beside();
            next = Instant::now() + TURN;
        }
    }
}

/// Receives one message per write, as `tracing_subscriber` does it.
impl Write for &LogQueue {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.send(message);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::logging::LogLines;

    /// A writer that blocks while it is locked.
    struct Door(Arc<Mutex<()>>, LogLines);

    impl Write for Door {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open = self.0.lock().expect("a door");
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (door, lines) = (Arc::new(Mutex::new(())), LogLines::default());
        let queue = LogQueue::start(Door(Arc::clone(&door), lines.clone()), || {}).expect("a thread");
        let closed = door.lock().expect("a door");
        let line = [b'x'; 1023];
        for _ in 0..3 * QUEUE {
            queue.send(&line);
        }
        let lost = queue.lost();
        assert!((2 * QUEUE as u64..3 * QUEUE as u64).contains(&lost), "{lost}");
        assert!(!queue.flush(Duration::from_millis(20)));
        drop(closed);
        assert!(queue.flush(Duration::from_mins(1)));
        // Output is read again: everything that was in the queue arrives.
        queue.send(b"the last");
        assert!(queue.flush(Duration::from_mins(1)));
        let text = lines.text();
        assert_eq!(text.len() as u64, (3 * QUEUE as u64 - lost) * 1023 + 8);
        assert!(text.ends_with("the last"));
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let queue = LogQueue::start(Full, || {}).expect("a thread");
        for _ in 0..7 {
            queue.send(b"line\n");
        }
        queue.send(&vec![b'x'; QUEUE_BYTES + 1]);
        assert!(queue.flush(Duration::from_mins(1)));
        assert_eq!(queue.lost(), 8);
    }
}
