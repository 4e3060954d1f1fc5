-- Sends the requests of a plan (benchmarks/load.py) in their order, and prints what came of it as JSON.
local plan, running = {}, nil
sent, planned = 0, 0

function setup(thread)
    running = thread
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    while true do
        local length = file:read("*n")
        if not length then break end
        file:read(1)
        planned = planned + 1
        plan[planned] = file:read(length)
    end
    file:close()
end

function request()
    sent = sent + 1
    return plan[(sent - 1) % planned + 1]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"seconds":%.6f,"p50":%.1f,"errors":%d,"rounds":%.3f}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        running:get("sent") / running:get("planned")))
end
