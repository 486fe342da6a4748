//! The order of blocks: topological, with every loop contiguous and its header first.
//!
//! The executor always runs the part of a warp with the lowest program counter. For that to let
//! lanes that diverged meet again as early as possible, a block must come after everything that
//! leads to it, and a loop's exit after the whole loop. Plain reverse post-order does not promise
//! the second. Strongly connected components do: they are loops, and within one the same holds
//! again once the edges to its header are taken away.

/// A part of the graph whose place is already known.
enum Part {
    Node(usize),
    Nodes(Vec<usize>),
}

/// Orders the nodes that node 0 reaches in the graph `successors`.
pub(super) fn block_order(successors: &[Vec<usize>]) -> Vec<usize> {
    let mut res = Vec::new();
    let mut pending = vec![Part::Nodes(reachable(successors))];
    while let Some(part) = pending.pop() {
        match part {
            Part::Node(node) => res.push(node),
            Part::Nodes(nodes) => {
                // Tarjan's algorithm finds components last first, as the stack wants them.
                for component in components(successors, &nodes) {
                    push_component(successors, component, &mut pending);
                }
            }
        }
    }
    res
}

fn push_component(successors: &[Vec<usize>], component: Vec<usize>, pending: &mut Vec<Part>) {
    if let [node] = component[..] {
        pending.push(Part::Node(node));
        return;
    }
    let header = header_of(successors, &component);
    let body = component.into_iter().filter(|&n| n != header).collect();
    pending.push(Part::Nodes(body));
    pending.push(Part::Node(header));
}

/// The node through which control enters a loop; the first if there are several.
fn header_of(successors: &[Vec<usize>], component: &[usize]) -> usize {
    let inside = |n: &usize| component.contains(n);
    let entered = |node: &usize| {
        *node == 0
            || successors.iter().enumerate().any(|(from, to)| !inside(&from) && to.contains(node))
    };
    let entries = component.iter().copied().filter(entered);
    entries.min().unwrap_or(component[0])
}

fn reachable(successors: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; successors.len()];
    let mut pending = vec![0];
    while let Some(node) = pending.pop() {
        if !std::mem::replace(&mut seen[node], true) {
            pending.extend(&successors[node]);
        }
    }
    (0..seen.len()).filter(|&n| seen[n]).collect()
}

/// Strongly connected components of the subgraph `nodes`, each after those it leads to (Tarjan
/// 1972, with an explicit stack).
fn components(successors: &[Vec<usize>], nodes: &[usize]) -> Vec<Vec<usize>> {
    let mut search = Search {
        successors,
        wanted: vec![false; successors.len()],
        index: vec![None; successors.len()],
        low: vec![0; successors.len()],
        on_stack: vec![false; successors.len()],
        stack: Vec::new(),
        count: 0,
        found: Vec::new(),
    };
    nodes.iter().for_each(|&n| search.wanted[n] = true);
    for &node in nodes.iter().rev() {
        if search.index[node].is_none() {
            search.visit(node);
        }
    }
    search.found
}

struct Search<'s> {
    successors: &'s [Vec<usize>],
    wanted: Vec<bool>,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    count: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, root: usize) {
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let Some(&to) = self.successors[node].get(*next) else {
                path.pop();
                self.leave(node, path.last().map(|&(parent, _)| parent));
                continue;
            };
            *next += 1;
            if !self.wanted[to] {
                continue;
            }
            match self.index[to] {
                None => {
                    self.enter(to);
                    path.push((to, 0));
                }
                Some(index) if self.on_stack[to] => self.low[node] = self.low[node].min(index),
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.index[node] = Some(self.count);
        self.low[node] = self.count;
        self.count += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn leave(&mut self, node: usize, parent: Option<usize>) {
        if let Some(parent) = parent {
            self.low[parent] = self.low[parent].min(self.low[node]);
        }
        if Some(self.low[node]) != self.index[node] {
            return;
        }
        let at = self.stack.iter().rposition(|&n| n == node).unwrap_or(0);
        let mut component = self.stack.split_off(at);
        component.iter().for_each(|&n| self.on_stack[n] = false);
        component.sort_unstable();
        self.found.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::block_order;

    fn check(edges: &[&[usize]], expected: &[usize]) {
        let graph: Vec<Vec<usize>> = edges.iter().map(|e| e.to_vec()).collect();
        assert_eq!(block_order(&graph), expected);
    }

    #[test]
    fn a_join_comes_after_both_sides() {
        check(&[&[1, 2], &[3], &[3], &[]], &[0, 1, 2, 3]);
    }

    #[test]
    fn the_exit_of_a_loop_comes_after_its_body() {
        // 0 -> 1; 1 -> exit 2 or body 3; 3 -> 1.
        check(&[&[1], &[2, 3], &[], &[1]], &[0, 1, 3, 2]);
    }

    #[test]
    fn an_exit_from_the_middle_of_a_nest_leaves_both_loops_contiguous() {
        // Outer header 1, inner header 2, inner body 3 leaves to 5 or goes back, 4 is the latch.
        check(&[&[1], &[2, 5], &[3], &[2, 4, 5], &[1], &[]], &[0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn unreachable_blocks_are_left_out() {
        check(&[&[2], &[2], &[]], &[0, 2]);
    }
}
