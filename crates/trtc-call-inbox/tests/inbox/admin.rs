//! What people do with items.

use trtc_call_inbox::ItemId;

use crate::calls::{ended, items, put};
use crate::fake::{Fake, Fate, Op};

/// So that whoever puts meanwhile does not have to wait for all of them.
#[tokio::test]
async fn many_items_are_changed_a_part_at_a_time() {
    let (inbox, fake, _) = Fake::new();
    put(&inbox, (0..120).map(|number| ended(&format!("call {number}")))).await;
    let ids: Vec<ItemId> = items(&inbox).await.iter().map(|item| item.id).collect();
    assert_eq!(inbox.replay(ids.clone()).await.unwrap(), [true; 120]);
    assert_eq!(fake.asked(Op::Replay), [50, 50, 20]);
    assert_eq!(inbox.discard(ids.clone()).await.unwrap(), [true; 120]);
    assert_eq!(fake.asked(Op::Discard), [50, 50, 20]);
    fake.tell(Op::Discard, Fate::FAILS);
    assert!(inbox.discard(ids).await.is_err());
}
