// What `spacetime generate` writes for a module with one table and one reducer: a message has a text, `send` sends one.

// 1.x: tables are a list, and the builder has `withModuleName`.
function bindings1(sdk) {
  const tables = sdk.schema(sdk.table({ name: "message" }, { text: sdk.t.string() }));
  return remoteModule(sdk, tables, "1.12.0");
}

// 2.x: tables are an object, and the builder has `withDatabaseName`.
function bindings2(sdk) {
  const tables = sdk.schema({ message: sdk.table({ name: "message" }, { text: sdk.t.string() }) });
  return remoteModule(sdk, tables, "2.0.0");
}

function remoteModule(sdk, tables, cliVersion) {
  const { reducersType } = sdk.reducers(sdk.reducerSchema("send", { text: sdk.t.string() }));
  const { procedures } = sdk.procedures();
  return { versionInfo: { cliVersion }, tables: tables.schemaType.tables, reducers: reducersType.reducers, procedures };
}

// A builder of connections to a database.
export function connectionBuilder(sdk, version, database) {
  const isOld = version.startsWith("1.");
  const bindings = isOld ? bindings1(sdk) : bindings2(sdk);
  const builder = new sdk.DbConnectionBuilder(bindings, (config) => new sdk.DbConnectionImpl(config));
  return isOld ? builder.withModuleName(database) : builder.withDatabaseName(database);
}
