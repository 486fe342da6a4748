//! Wording of what moving elements costs: hovers, reports and drawings say it alike.

use tile_layout::banks::Direction;
use tile_layout::{Cost, CostClass, SharedMeans};

use crate::analysis::{Moved, SharedCost};

/// What an instruction that moves elements costs.
pub fn moved(what: &Moved) -> String {
    match what {
        Moved::Between(cost) => between(cost),
        Moved::Shared(cost) => shared(cost),
    }
}

/// What elements pay that change registers, lanes or warps.
pub fn between(cost: &Cost) -> String {
    match cost.class {
        CostClass::Nothing => "moves nothing".to_owned(),
        CostClass::Registers if cost.selects == 0 => "renames registers".to_owned(),
        CostClass::Registers => {
            format!("stays within each thread: {}", count(cost.selects, "select", "selects"))
        }
        CostClass::Shuffles => {
            let shuffles = count(cost.shuffles, "shuffle", "shuffles");
            let selects = match cost.selects {
                0 => String::new(),
                n => format!(" and {}", count(n, "select", "selects")),
            };
            format!("stays within each warp: {shuffles}{selects}")
        }
        CostClass::Shared => {
            let accesses = count(cost.accesses, "access", "accesses");
            let barriers = match cost.barriers {
                0 => "no barrier of the block".to_owned(),
                n => count(n, "barrier", "barriers"),
            };
            let (size, conflicts) = (bytes(cost.shared_bytes), conflicts(cost.conflicts));
            format!(
                "goes through {size} of shared memory: {accesses} a thread, {conflicts}, {barriers}"
            )
        }
    }
}

/// What a tile pays on its way to or from shared memory.
pub fn shared(cost: &SharedCost) -> String {
    let verb = match cost.direction {
        Direction::Read => "reads",
        Direction::Write => "writes",
    };
    let means = match cost.means {
        SharedMeans::Vector => String::new(),
        SharedMeans::Matrix { count: n, transposed } => {
            let turned = if transposed { ", transposed" } else { "" };
            format!(" by {}{turned}", count(n, "matrix", "matrices"))
        }
        SharedMeans::TransposeRead => " by columns".to_owned(),
    };
    let accesses = count(cost.n_accesses, "access", "accesses");
    let (size, conflicts) = (count(cost.bytes, "byte", "bytes"), conflicts(cost.conflicts));
    format!("{verb} {size} a thread at once{means}: {accesses}, {conflicts}")
}

fn conflicts(extra: u32) -> String {
    match extra {
        0 => "no bank conflicts".to_owned(),
        n => format!("each served {} times for bank conflicts", n + 1),
    }
}

fn bytes(n: u32) -> String {
    if n >= 1024 && n.is_multiple_of(1024) {
        format!("{} KiB", n / 1024)
    } else {
        count(n, "byte", "bytes")
    }
}

fn count(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_says_what_it_uses() {
        let cost = |class| Cost { class, ..Cost::default() };
        assert_eq!(between(&cost(CostClass::Nothing)), "moves nothing");
        let shuffled = Cost { shuffles: 8, selects: 1, ..cost(CostClass::Shuffles) };
        assert_eq!(between(&shuffled), "stays within each warp: 8 shuffles and 1 select");
        let shared =
            Cost { shared_bytes: 8192, accesses: 9, barriers: 1, ..cost(CostClass::Shared) };
        assert_eq!(
            between(&shared),
            "goes through 8 KiB of shared memory: 9 accesses a thread, no bank conflicts, 1 barrier"
        );
    }

    #[test]
    fn conflicts_are_told_as_times_served() {
        let cost = SharedCost {
            direction: Direction::Read,
            means: SharedMeans::Matrix { count: 4, transposed: true },
            bytes: 16,
            n_accesses: 1,
            conflicts: 3,
        };
        assert_eq!(
            super::shared(&cost),
            "reads 16 bytes a thread at once by 4 matrices, transposed: 1 access, each served 4 times for bank conflicts"
        );
    }
}
