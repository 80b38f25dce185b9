//! Notifications that wait to be sent, and to be sent again.

use std::cmp::Reverse;

use super::super::charge::{Charge, Dispute, Note, State, script};
use super::Bank;

/// Milliseconds between a notification that was not acknowledged and the next, by how often it was sent.
const RETRIES: [i64; 7] = [5_000, 30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000];
/// How long after a dispute was opened it is decided, in milliseconds.
const DECIDED_AFTER: i64 = 3 * 86_400_000;
/// The id of a note has its position in these low bits and the index of its charge above them.
const POSITION_BITS: u32 = 24;

impl Bank {
    /// Writes the notification of what is true now of a charge or of one of its refunds.
    pub(super) fn notify(&mut self, index: u32, refund: Option<usize>, now: i64) {
        let charge = self.charge(index);
        let (copies, first) = match charge.script() {
            script::NO_NOTICE => return,
            script::THREE_NOTICES if refund.is_none() => (3, now),
            script::LATE_NOTICE if refund.is_none() => (1, now + 3_600_000),
            _ => (1, now),
        };
        let (state, amount, at) = match refund {
            Some(position) => (State::Succeeded, charge.refunds[position].amount, Some(now)),
            None => (charge.state, charge.stated_amount(), charge.at),
        };
        for _ in 0..copies {
            let notes = &mut self.touch(index).notes;
            notes.push(Note { refund, state, amount, at, sent: 0, next: Some(first), dispute: None });
            let position = notes.len() - 1;
            self.send_at(index, position, first);
        }
        if refund.is_none() {
            self.dispute(index);
        }
    }

    /// The payer disputes the payment a second after it, and three days later the provider decides.
    fn dispute(&mut self, index: u32) {
        let charge = self.charge(index);
        let Some((opened, _)) = charge.disputed() else { return };
        let (decision, back) = match charge.script() {
            script::DISPUTE_LOST => (Dispute::Lost, 0),
            script::DISPUTE_WON => (Dispute::Won, charge.captured),
            _ => (Dispute::Won, charge.captured / 2),
        };
        let (state, all) = (charge.state, charge.captured);
        for (at, amount, dispute) in
            [(opened, all, Dispute::Opened), (opened + DECIDED_AFTER, back, decision)]
        {
            let notes = &mut self.touch(index).notes;
            let (next, dispute) = (Some(at), Some(dispute));
            notes.push(Note { refund: None, state, amount, at: Some(at), sent: 0, next, dispute });
            let position = notes.len() - 1;
            self.send_at(index, position, at);
        }
    }

    pub(super) fn send_at(&mut self, index: u32, position: usize, at: i64) {
        self.outbox.push(Reverse((at, (u64::from(index) << POSITION_BITS) | position as u64)));
    }

    /// The next notification that is due, off the queue.
    pub(in super::super) fn take_due(&mut self, now: i64) -> Option<u64> {
        let &Reverse((_, id)) = self.outbox.peek().filter(|entry| entry.0.0 <= now)?;
        self.outbox.pop();
        self.note_mut(id)?.sent += 1;
        Some(id)
    }

    pub(in super::super) fn note(&self, id: u64) -> Option<(&Charge, &Note)> {
        let (index, position) = place(id);
        let charge = self.charges.get(index as usize)?;
        Some((charge, charge.notes.get(position)?))
    }

    fn note_mut(&mut self, id: u64) -> Option<&mut Note> {
        self.note(id)?;
        let (index, position) = place(id);
        self.touch(index).notes.get_mut(position)
    }

    pub(in super::super) fn acknowledge(&mut self, id: u64) {
        if let Some(note) = self.note_mut(id) {
            note.next = None;
        }
    }

    /// Puts a notification that was not acknowledged back on the queue, until it was sent often enough.
    pub(in super::super) fn send_again(&mut self, id: u64, now: i64) {
        let Some(note) = self.note_mut(id) else { return };
        note.next = RETRIES.get((note.sent as usize).saturating_sub(1)).map(|wait| now + wait);
        if let Some(next) = note.next {
            self.outbox.push(Reverse((next, id)));
        }
    }

    pub(in super::super) fn next_due(&self) -> Option<i64> {
        let timer = self.timers.peek().map(|entry| entry.0.0);
        let note = self.outbox.peek().map(|entry| entry.0.0);
        timer.into_iter().chain(note).min()
    }
}

fn place(id: u64) -> (u32, usize) {
    ((id >> POSITION_BITS) as u32, (id & ((1 << POSITION_BITS) - 1)) as usize)
}
