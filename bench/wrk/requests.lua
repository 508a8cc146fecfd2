-- SPDX-License-Identifier: Apache-2.0
-- Asks for paths drawn at random from a file, one a line, with a header ("If-None-Match: ...") after a tab where there is one.
-- wrk -s requests.lua URL -- FILE [PAUSE]
-- With PAUSE each connection rests before each request, for twice PAUSE milliseconds at most: a load that is not the most.
-- Prints one line for bench/run at the end (microseconds; errors are statuses from 400 up and broken sockets).

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	asked = {}
	for line in io.lines(args[1]) do
		local path, name, value = line:match("^([^\t]+)\t?([^:]*):? ?(.*)$")
		asked[#asked + 1] = wrk.format("GET", path, name ~= "" and { [name] = value } or nil)
	end
	math.randomseed(os.time() * 10 + number)
	if args[2] then
		local most = 2 * tonumber(args[2])
		delay = function() return math.random(0, most) end
	end
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
