// What `spacetime generate` writes, cut down: a module with a table `message` and a reducer `send`.

import {
  DbConnectionBuilder, DbConnectionImpl, procedures, reducers, reducerSchema, schema, t, table,
} from "spacetimedb";

const tables = schema({ message: table({ name: "message" }, { text: t.string() }) });

const REMOTE_MODULE = {
  versionInfo: { cliVersion: "2.10.1" },
  tables: tables.schemaType.tables,
  reducers: reducers(reducerSchema("send", { text: t.string() })).reducersType.reducers,
  ...procedures(),
};

export class DbConnection extends DbConnectionImpl {
  static builder() {
    return new DbConnectionBuilder(REMOTE_MODULE, (config) => new DbConnection(config));
  }
}
