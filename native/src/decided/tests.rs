use super::{Bounds, Decided, BESIDES, LONGEST, MOST_HELD};

#[test]
fn all_memos_together_are_bounded() {
    let mut decided = Decided::new(Bounds {
        seed: 7,
        most: usize::MAX,
        most_bytes: usize::MAX,
    });
    let memos = [decided.memo(), decided.memo()];
    decided.learn_class(memos[0], b"first", 1, true);
    let value = |at: usize| format!("{at:0width$}", width = LONGEST).into_bytes();
    let fit = MOST_HELD / (LONGEST + BESIDES);
    for at in 0..fit - 1 {
        decided.learn_class(memos[at % 2], &value(at), 2, true);
    }
    assert_eq!(decided.lasting(memos[0], b"first"), Some(1));
    decided.learn_class(memos[0], &value(fit), 3, true);
    decided.learn_class(memos[0], &value(fit + 1), 4, true);
    assert_eq!(decided.lasting(memos[0], b"first"), None);
    assert_eq!(decided.lasting(memos[1], &value(1)), None);
    assert_eq!(decided.lasting(memos[0], &value(fit + 1)), Some(4));
}

#[test]
fn what_is_long_is_remembered_for_its_batch() {
    let mut decided = Decided::new(Bounds {
        seed: 7,
        most: 10,
        most_bytes: usize::MAX,
    });
    let memo = decided.memo();
    let value = vec![b'x'; LONGEST + 1];
    decided.learn_class(memo, &value, 5, true);
    assert_eq!(decided.lasting(memo, &value), None);
    assert_eq!(decided.passing(memo, &value), Some(5));
    decided.start_batch();
    assert_eq!(decided.passing(memo, &value), None);
}
