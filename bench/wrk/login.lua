-- SPDX-License-Identifier: Apache-2.0
-- Logs people in, drawn at random, with their right password.
-- wrk -s login.lua URL -- FILE PASSWORD
-- FILE has an address a line. Prints the same line at the end as requests.lua.

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	local headers = { ["Content-Type"] = "application/json" }
	asked = {}
	for address in io.lines(args[1]) do
		local body = string.format('{"email":"%s","password":"%s"}', address, args[2])
		asked[#asked + 1] = wrk.format("POST", "/v1/auth/login", headers, body)
	end
	math.randomseed(os.time() * 10 + number)
end

function request()
	return asked[math.random(#asked)]
end

function done(summary, latency)
	local e = summary.errors
	print(string.format("result requests=%d seconds=%.3f p50=%d p95=%d p99=%d failed=%d", summary.requests,
		summary.duration / 1e6, latency:percentile(50), latency:percentile(95), latency:percentile(99),
		e.status + e.connect + e.read + e.write + e.timeout))
end
