const answer = await fetch(process.env.SPACETIMEDB_URI + "/v1/ping")
console.log(answer.status)
