//! Jobs that are completed with statements, from a worker's hands.

mod support;

use support::{APP, Folder, call, outsider, put};
use trtc_call_inbox::store::Store;
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Filter, Inbox, Job, JobError, MemoryInbox, State};
use trtc_call_inbox_sqlite::{CompleteWith, SqliteInbox};

async fn bill(job: Job<CallEnded>) -> Result<(), JobError> {
    let call_id = job.call_id.clone();
    job.complete_with(move |transaction| {
        transaction.execute("INSERT INTO bills VALUES (?1)", [&call_id])
    })
    .await?;
    // It is done: this is too late to have it tried again.
    Err("the mail server is away".into())
}

#[tokio::test]
async fn a_completed_job_is_not_worked_again() {
    let folder = Folder::new();
    outsider(&folder.file()).execute_batch("CREATE TABLE bills (call_id)").unwrap();
    let sqlite = SqliteInbox::open_in_app_database(folder.file()).unwrap();
    let id = put(&sqlite, call("a", 10)).await;
    let inbox = Inbox::from(sqlite.clone());
    inbox.worker().on(bill).run_due().await.unwrap();
    let item = sqlite.get(id).await.unwrap().unwrap();
    assert_eq!((item.state, item.last_error), (State::Done, None));
    let bills = "SELECT count(*) FROM bills WHERE call_id = 'a'";
    let bills: i64 = outsider(&folder.file()).query_row(bills, [], |row| row.get(0)).unwrap();
    assert_eq!(bills, 1);
}

#[tokio::test]
async fn the_job_of_another_store_is_not_completed_with_statements() {
    let memory = MemoryInbox::new();
    memory.put(vec![call("a", 10)]).await.unwrap();
    let inbox = Inbox::from(memory.clone());
    inbox.worker().on(bill).run_due().await.unwrap();
    let items = memory.list(Filter::all().sdk_app_id(APP), 10, false).await.unwrap();
    assert_eq!(items[0].state, State::Waiting);
    let error = items[0].last_error.as_ref().unwrap();
    assert!(error.contains("not from a SqliteInbox"), "{error}");
}
