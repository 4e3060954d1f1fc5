//! What `spacetime generate` writes for a module with one reducer, `send(text)`, and no tables.

use spacetimedb_sdk::__codegen::{self as sdk, __lib as lib, __sats as sats, __ws as ws};
use spacetimedb_sdk::{ConnectionId, Event, Identity, ReducerEvent};

type Imp = sdk::DbContextImpl<Module>;

#[derive(Debug)]
pub struct Module;

impl sdk::SpacetimeModule for Module {
    type DbConnection = DbConnection;
    type EventContext = Context<Event<Reducer>>;
    type ReducerEventContext = Context<ReducerEvent<Reducer>>;
    type ProcedureEventContext = Context<()>;
    type SubscriptionEventContext = Context<()>;
    type ErrorContext = Context<Option<sdk::Error>>;
    type Reducer = Reducer;
    type DbView = Nothing;
    type Reducers = Nothing;
    type Procedures = Nothing;
    type DbUpdate = Update;
    type AppliedDiff<'r> = Nothing;
    type SubscriptionHandle = Subscription;
    type QueryBuilder = sdk::QueryBuilder;

    fn register_tables(_: &mut sdk::ClientCache<Self>) {}

    const ALL_TABLE_NAMES: &'static [&'static str] = &[];
}

macro_rules! in_module {
    ($($name:ty),*) => { $(impl sdk::InModule for $name { type Module = Module; })* };
}
in_module!(Module, Nothing, Update, Reducer, Subscription, DbConnection);

impl<E> sdk::InModule for Context<E> {
    type Module = Module;
}

/// There are no tables, hence no views and no differences.
pub struct Nothing;

impl<'r> sdk::AppliedDiff<'r> for Nothing {
    fn invoke_row_callbacks(&self, _: &Context<Event<Reducer>>, _: &mut sdk::DbCallbacks<Module>) {}
}

#[derive(Debug, Default)]
pub struct Update;

impl TryFrom<ws::v2::TransactionUpdate> for Update {
    type Error = sdk::Error;

    fn try_from(_: ws::v2::TransactionUpdate) -> sdk::Result<Self> {
        Ok(Self)
    }
}

impl sdk::DbUpdate for Update {
    fn apply_to_client_cache(&self, _: &mut sdk::ClientCache<Module>) -> Nothing {
        Nothing
    }

    fn parse_initial_rows(_: ws::v2::QueryRows) -> sdk::Result<Self> {
        Ok(Self)
    }

    fn parse_unsubscribe_rows(_: ws::v2::QueryRows) -> sdk::Result<Self> {
        Ok(Self)
    }
}

#[derive(Clone, Debug)]
pub struct Reducer {
    pub text: String,
}

impl sdk::Reducer for Reducer {
    fn reducer_name(&self) -> &'static str {
        "send"
    }

    fn args_bsatn(&self) -> Result<Vec<u8>, sats::bsatn::EncodeError> {
        lib::bsatn::to_vec(&self.text)
    }
}

#[derive(Clone)]
pub struct Subscription(sdk::SubscriptionHandleImpl<Module>);

impl sdk::SubscriptionHandle for Subscription {
    fn new(imp: sdk::SubscriptionHandleImpl<Module>) -> Self {
        Self(imp)
    }

    fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn unsubscribe_then(self, on_end: sdk::OnEndedCallback<Module>) -> sdk::Result<()> {
        self.0.unsubscribe_then(Some(on_end))
    }

    fn unsubscribe(self) -> sdk::Result<()> {
        self.0.unsubscribe_then(None)
    }
}

/// What callbacks get, with the event that they are called for.
pub struct Context<E> {
    pub event: E,
    #[allow(dead_code)]
    imp: Imp,
}

impl<E: Send + 'static> sdk::AbstractEventContext for Context<E> {
    type Event = E;

    fn event(&self) -> &E {
        &self.event
    }

    fn new(imp: Imp, event: E) -> Self {
        Self { event, imp }
    }
}

impl sdk::EventContext for Context<Event<Reducer>> {}
impl sdk::ReducerEventContext for Context<ReducerEvent<Reducer>> {}
impl sdk::ProcedureEventContext for Context<()> {}
impl sdk::SubscriptionEventContext for Context<()> {}
impl sdk::ErrorContext for Context<Option<sdk::Error>> {}

pub struct DbConnection {
    imp: Imp,
    nothing: Nothing,
}

impl sdk::DbConnection for DbConnection {
    fn new(imp: Imp) -> Self {
        Self { imp, nothing: Nothing }
    }
}

impl DbConnection {
    pub fn builder() -> sdk::DbConnectionBuilder<Module> {
        sdk::DbConnectionBuilder::new()
    }

    pub fn run_threaded(&self) -> std::thread::JoinHandle<()> {
        self.imp.run_threaded()
    }

    /// Calls the reducer; `told` gets its error, if it has one.
    pub fn send(&self, text: String, told: impl FnOnce(Result<(), String>) + Send + 'static) -> sdk::Result<()> {
        self.imp.invoke_reducer_with_callback(Reducer { text }, move |_, result| {
            told(result.unwrap_or_else(|error| Err(error.to_string())));
        })
    }
}

impl sdk::DbContext for DbConnection {
    type DbView = Nothing;
    type Reducers = Nothing;
    type Procedures = Nothing;
    type SubscriptionBuilder = sdk::SubscriptionBuilder<Module>;

    fn db(&self) -> &Nothing {
        &self.nothing
    }

    fn reducers(&self) -> &Nothing {
        &self.nothing
    }

    fn procedures(&self) -> &Nothing {
        &self.nothing
    }

    fn is_active(&self) -> bool {
        self.imp.is_active()
    }

    fn disconnect(&self) -> sdk::Result<()> {
        self.imp.disconnect()
    }

    fn subscription_builder(&self) -> Self::SubscriptionBuilder {
        sdk::SubscriptionBuilder::new(&self.imp)
    }

    fn try_identity(&self) -> Option<Identity> {
        self.imp.try_identity()
    }

    fn connection_id(&self) -> ConnectionId {
        self.imp.connection_id()
    }

    fn try_connection_id(&self) -> Option<ConnectionId> {
        self.imp.try_connection_id()
    }
}
