//! Every store, held to the same behaviours.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use conformance::postgres::{PgBouncer, Server};
use conformance::stores::{self, Stage};
use trtc_call_inbox::store::Store;
use trtc_call_inbox::{Clock, MemoryInbox};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_inbox_sqlite::SqliteInbox;

/// Makes a test of each behaviour for each store.
macro_rules! tests {
    (@of $store:ident: $($behaviour:ident)*) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $behaviour() {
                    let Some(stage) = super::$store(stringify!($behaviour)).await else { return };
                    conformance::driver::in_time(super::stores::$behaviour(stage)).await;
                }
            )*
        }
    };
    ($($behaviour:ident)*) => {
        tests!(@of memory: $($behaviour)*);
        tests!(@of sqlite: $($behaviour)*);
        tests!(@of postgres: $($behaviour)*);
        tests!(@of pooled: $($behaviour)*);
    };
}

tests! {
    a_new_key_is_stored_and_waits
    any_app_is_kept
    a_redelivery_is_a_duplicate
    keys_that_differ_in_case_are_different
    any_text_is_kept
    a_batch_may_hold_a_key_more_than_once
    a_dispute_stops_every_item_that_is_not_done
    a_dispute_with_what_is_done_says_so
    many_bodies_under_one_key_are_all_kept
    a_key_is_known_for_longer_than_its_items
    two_bodies_at_once_are_never_two_workable_items
    one_body_at_once_is_one_item
    a_resolved_dispute_does_not_come_back

    items_are_handed_out_as_due
    what_is_put_off_for_ever_waits
    an_attempt_counts_when_it_begins
    time_to_retry_begins_with_the_first_attempt
    a_stale_token_changes_nothing
    a_lease_that_has_ended_is_taken_back_by_others
    an_item_that_loses_too_many_leases_is_dead
    a_suspect_that_is_given_back_stays_one
    items_of_a_call_can_be_worked_in_order
    a_clock_that_is_set_back_holds_nothing_up
    a_clock_that_is_corrected_ends_no_lease
    a_clock_that_jumps_ahead_is_fenced

    a_replay_takes_dead_items_past_deduplication
    what_is_not_worked_can_be_discarded
    a_dispute_is_resolved_in_favour_of_one
    what_was_done_is_corrected
    what_was_done_rightly_stays
    what_is_done_can_be_erased
    a_user_is_erased_from_all_calls
    old_items_are_pruned
    items_are_listed_by_filters
    items_are_counted
    health_stores_nothing

    a_record_of_an_unknown_call_is_an_item
    records_of_known_calls_can_be_left_alone
    a_record_confirms_what_waits_for_it
    a_record_decides_a_dispute
    a_record_corrects_what_was_done
    what_was_done_rightly_stays_by_its_record
    what_is_worked_is_left_to_the_next_record
    what_was_put_away_stays_so
    a_record_that_does_not_tell_decides_nothing
    records_come_in_batches
    a_record_is_asked_for_after_five_seconds
    what_is_missing_is_asked_for_again
    disputes_are_asked_about
    only_the_end_of_a_call_is_asked_about
    questions_have_a_budget
    a_clock_that_is_set_back_holds_no_question_up
    one_owner_reconciles_an_app
    a_person_decides_without_a_record
    what_waits_for_its_record_can_be_tended
    waiting_for_a_record_costs_nothing

    a_handler_that_fails_is_tried_again
    a_handler_says_what_becomes_of_an_item
    what_no_handler_takes_is_kept
    a_poison_job_takes_no_neighbours_along
    a_worker_works_suspects
    what_is_completed_stays_done
    a_dispute_while_a_handler_runs_revokes_it
    a_correction_knows_what_it_replaces
}

async fn memory(_: &str) -> Option<Stage> {
    let clock = Clock::manual();
    let store: Arc<dyn Store> = Arc::new(MemoryInbox::with_clock(clock.clone()));
    Some(Stage { other: Arc::clone(&store), store, clock, server: None })
}

async fn sqlite(test: &str) -> Option<Stage> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let clock = Clock::manual();
    let open = || -> Arc<dyn Store> {
        let options = SqliteInbox::options().clock(clock.clone());
        Arc::new(options.open(folder.join("callbacks.db")).unwrap())
    };
    Some(Stage { store: open(), other: open(), clock, server: None })
}

async fn postgres(test: &str) -> Option<Stage> {
    let database = Server::shared()?.database(test).await;
    Some(two_servers(database.url()).await)
}

/// Behind a pooler, which gives each transaction another connection.
async fn pooled(test: &str) -> Option<Stage> {
    static POOLER: LazyLock<Option<(Server, PgBouncer)>> = LazyLock::new(|| {
        let server = Server::start(&[])?;
        let pooler = PgBouncer::start(&server)?;
        Some((server, pooler))
    });
    let (server, pooler) = POOLER.as_ref()?;
    let database = server.database(test).await;
    Some(two_servers(&database.url_at(pooler.port())).await)
}

/// Two, as far as PostgreSQL can tell.
async fn two_servers(url: &str) -> Stage {
    let clock = Clock::manual();
    let server = PostgresInbox::connect(url).await.unwrap();
    server.set_test_time(Some(clock.now())).await.unwrap();
    let other = PostgresInbox::connect(url).await.unwrap();
    let (store, other) = (Arc::new(server.clone()), Arc::new(other));
    Stage { store, other, clock, server: Some(server) }
}
