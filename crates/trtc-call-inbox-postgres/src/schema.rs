//! Making the schema, and knowing it.

use tokio_postgres::types::Type;
use trtc_call_inbox::store::StoreErrorKind;

use crate::connect::Connection;
use crate::error::Failure;

/// The version of `schema.sql`.
pub(crate) const VERSION: i32 = 1;

/// The oldest version that can work with it.
const OLDEST: i32 = 1;

pub(crate) const TABLES: &str = include_str!("schema.sql");

const SELECT_IS_THERE: &str = "SELECT to_regclass('trtc_call.schema') IS NOT NULL";

const SELECT_SCHEMA: &str = "
    SELECT to_regnamespace('trtc_call') IS NOT NULL,
           EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('trtc_call'))";

/// Who makes or changes the schema is alone with it until his commit: the number is of our choice.
const LOCK: &str = "
    SET LOCAL lock_timeout = '5s';
    SET LOCAL statement_timeout = 0;
    SELECT pg_catalog.pg_advisory_xact_lock(7471103421)";

const CREATE_SCHEMA: &str = "CREATE SCHEMA trtc_call";

const INSERT_VERSION: &str = "INSERT INTO trtc_call.schema (version, oldest) VALUES ($1, $2)";

pub(crate) const BEGIN_WORK: &str = "SELECT trtc_call.begin_work($1)";

/// Sees to it that the schema is there and can be worked with, and makes it if it may.
pub(crate) async fn prepare(connection: &Connection, may_create: bool) -> Result<(), Failure> {
    if is_there(connection).await? {
        return check(connection).await;
    }
    if !may_create {
        return Err(Failure::new(StoreErrorKind::NotFound, "there is no inbox in it"));
    }
    // If this fails, the connection is closed, and with it the transaction.
    connection.run("BEGIN").await?;
    connection.run(LOCK).await?;
    // Another server may have made it meanwhile.
    if !is_there(connection).await? {
        create(connection).await?;
    }
    connection.run("COMMIT").await?;
    check(connection).await
}

async fn is_there(connection: &Connection) -> Result<bool, Failure> {
    Ok(connection.row(SELECT_IS_THERE, &[]).await?.try_get(0)?)
}

/// Makes it, in a transaction. The schema itself may have been made for this role.
async fn create(connection: &Connection) -> Result<(), Failure> {
    let schema = connection.row(SELECT_SCHEMA, &[]).await?;
    let (is_there, is_used): (bool, bool) = (schema.try_get(0)?, schema.try_get(1)?);
    if is_used {
        let text = "its schema trtc_call holds something else than an inbox";
        return Err(Failure::new(StoreErrorKind::NotAnInbox, text));
    }
    if !is_there {
        connection.run(CREATE_SCHEMA).await?;
    }
    connection.run(TABLES).await?;
    let versions = [(&VERSION as _, Type::INT4), (&OLDEST as _, Type::INT4)];
    connection.rows(INSERT_VERSION, &versions).await?;
    Ok(())
}

/// Whether this version can work with it: asked in each transaction, since a later version may have
/// changed it meanwhile.
pub(crate) async fn check(connection: &Connection) -> Result<(), Failure> {
    connection.rows(BEGIN_WORK, &[(&VERSION, Type::INT4)]).await?;
    Ok(())
}
