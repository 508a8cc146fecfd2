-- SPDX-License-Identifier: Apache-2.0
-- Creates businesses, each with a name of its own. Places and categories come from files.
-- wrk -s create.lua URL -- POINTS CATEGORIES TOKEN
-- Prints the same line at the end as requests.lua.

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

local function lines(name)
	local all = {}
	for line in io.lines(name) do
		all[#all + 1] = line
	end
	return all
end

function init(args)
	points = lines(args[1])
	categories = lines(args[2])
	headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[3] }
	math.randomseed(os.time() * 10 + number)
	prefix = string.format("Bench %d-%d", number, math.random(1, 1e9))
	count = 0
end

function request()
	count = count + 1
	local lat, lng = points[math.random(#points)]:match("([^,]+),([^,]+)")
	local body = string.format(
		'{"name":"%s-%d Harrison & Sons","description":"Family run since 1974.","phone":"+441483505050",' ..
		'"website":"https://www.example.org","address":{"lines":["%d High Street"],"locality":"Guildford",' ..
		'"region":"Surrey","postcode":"GU1 3AJ","country":"GB"},"location":{"lat":%s,"lng":%s},' ..
		'"primary_category":"%s","attributes":{"wifi":"free"}}',
		prefix, count, math.random(1, 180), lat, lng, categories[math.random(#categories)])
	return wrk.format("POST", "/v1/businesses", headers, body)
end

function done(summary, latency)
	local e = summary.errors
	print(string.format("result requests=%d seconds=%.3f p50=%d p95=%d p99=%d failed=%d", summary.requests,
		summary.duration / 1e6, latency:percentile(50), latency:percentile(95), latency:percentile(99),
		e.status + e.connect + e.read + e.write + e.timeout))
end
