// SPDX-License-Identifier: Apache-2.0
// The peer of the benchmark: the busiest endpoints of directory and events as a good developer would write them in an afternoon
// with Fastify 5 and pg, on the same tables, with the same answers. Nothing here is slowed down on purpose: prepared (named)
// statements, a pool of 10 (pg's default and what guides recommend), page and count asked for at once, response schemas
// for fast-json-stringify, no request log. bench/run starts it; it is no part of the product.
//
// Environment: PGHOST, PGPORT, PGUSER, PGDATABASE as libpq has them; PORT; ADMIN_TOKEN; PEER_CLUSTER=n starts n processes
// on one port (the default, 1, is how such a server is mostly run). With REDIS_SOCKET it takes access tokens that were signed
// with the key of ACCESS_JWK by ACCESS_ISSUER, and counts who calls: LIMIT requests a minute.

'use strict'

const cluster = require('node:cluster')
const { createPublicKey, randomUUID } = require('node:crypto')
const Fastify = require('fastify')
const { Pool, types } = require('pg')

// What a wall clock shows is no instant: it stays text. (1114 is timestamp, 1115 its array.)
const local = (value) => value.replace(' ', 'T')
types.setTypeParser(1114, local)
types.setTypeParser(1115, (value) => types.arrayParser.create(value, local).parse())

const text = { type: ['string', 'null'] }
const number = { type: ['number', 'null'] }
const time = { type: 'string', format: 'date-time' }

const business = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    slug: { type: 'string' },
    description: text,
    status: { type: 'string' },
    phone: text,
    email: text,
    website: text,
    price_level: number,
    address: {
      type: 'object',
      properties: {
        lines: { type: 'array', items: { type: 'string' } },
        locality: text,
        region: text,
        postcode: text,
        country: text
      }
    },
    location: {
      type: ['object', 'null'],
      properties: { lat: { type: 'number' }, lng: { type: 'number' } }
    },
    time_zone: { type: 'string' },
    primary_category: text,
    other_categories: { type: 'array', items: { type: 'string' } },
    attributes: { type: 'object', additionalProperties: true },
    source: text,
    source_id: text,
    verified: { type: 'boolean' },
    inspection_rating: number,
    distance_m: { type: 'integer' },
    version: { type: 'integer' },
    created_at: time,
    updated_at: time
  }
}

const one = {
  type: 'object',
  properties: { success: { type: 'boolean' }, data: business }
}

function pageOf (items) {
  return {
    type: 'object',
    properties: {
      success: { type: 'boolean' },
      data: { type: 'array', items },
      meta: {
        type: 'object',
        properties: {
          pagination: {
            type: 'object',
            properties: { page: { type: 'integer' }, limit: { type: 'integer' }, total: { type: 'integer' } }
          }
        }
      }
    }
  }
}

const page = pageOf(business)

const flag = { type: ['boolean', 'null'] }
const clock = { type: 'string' }
const someTime = { type: ['string', 'null'], format: 'date-time' }

function maybe (properties) {
  return { type: ['object', 'null'], properties }
}

const venue = maybe({ business_id: text, name: text, address: text, postcode: text })
const point = maybe({ lat: { type: 'number' }, lng: { type: 'number' } })

const occurrence = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    event_id: { type: 'string' },
    recurrence_local: clock,
    starts_local: clock,
    ends_local: clock,
    starts_at: time,
    ends_at: time,
    status: { type: 'string' },
    changed: { type: 'boolean' },
    title: text,
    summary: text,
    description: text,
    venue,
    location: point,
    online_url: text,
    capacity: number,
    going: { type: 'integer' },
    waiting: { type: 'integer' },
    maybe: { type: 'integer' },
    places_left: number,
    created_at: time,
    updated_at: time,
    deleted_at: someTime
  }
}

const event = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    title: { type: 'string' },
    summary: text,
    description: text,
    status: { type: 'string' },
    rescheduled_to: text,
    visibility: { type: 'string' },
    published_at: someTime,
    categories: { type: 'array', items: { type: 'string' } },
    image: maybe({ url: text, alt: text }),
    organiser: maybe({ business_id: text, person_id: text, name: text }),
    venue,
    location: point,
    online_url: text,
    price: maybe({ free: flag, from: number, to: number, ticket_url: text }),
    age: maybe({ min: number, max: number }),
    accessibility: { type: 'object', additionalProperties: true },
    language: text,
    capacity: number,
    rsvp: maybe({ mode: { type: 'string' }, closes_before: number, url: text, guests_max: { type: 'integer' } }),
    starts_local: clock,
    ends_local: clock,
    time_zone: { type: 'string' },
    all_day: { type: 'boolean' },
    rrule: text,
    rdate: { type: 'array', items: clock },
    exdate: { type: 'array', items: clock },
    starts_at: time,
    ends_at: someTime,
    uid: { type: 'string' },
    sequence: { type: 'integer' },
    split_from: text,
    source: text,
    source_id: text,
    created_at: time,
    updated_at: time,
    deleted_at: someTime,
    occurrence,
    distance_m: { type: 'number' }
  }
}

const listQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    category: { type: 'string', maxLength: 80 },
    near: { type: 'string', pattern: '^-?[0-9.]+,-?[0-9.]+$' },
    radius: { type: 'number', minimum: 1, maximum: 50000, default: 1000 },
    q: { type: 'string', minLength: 1, maxLength: 200 },
    sort: { type: 'string', enum: ['name', 'distance', 'relevance'] },
    page: { type: 'integer', minimum: 1, maximum: 500, default: 1 },
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 }
  }
}

const eventQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    when: { type: 'string', enum: ['weekend'] },
    from: { type: 'string', format: 'date' },
    to: { type: 'string', format: 'date' },
    near: { type: 'string', pattern: '^-?[0-9.]+,-?[0-9.]+$' },
    radius: { type: 'number', minimum: 1, maximum: 50000, default: 1000 },
    page: { type: 'integer', minimum: 1, maximum: 500, default: 1 },
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 }
  }
}

const newBusiness = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 160 },
    description: { type: 'string', maxLength: 5000 },
    status: {
      type: 'string',
      enum: ['operational', 'temporarily_closed', 'permanently_closed', 'opening_soon'],
      default: 'operational'
    },
    phone: { type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$' },
    email: { type: 'string', format: 'email', maxLength: 254 },
    website: { type: 'string', format: 'uri', maxLength: 2000 },
    price_level: { type: 'integer', minimum: 1, maximum: 4 },
    address: {
      type: 'object',
      additionalProperties: false,
      properties: {
        lines: { type: 'array', maxItems: 4, items: { type: 'string', maxLength: 200 } },
        locality: { type: 'string', maxLength: 100 },
        region: { type: 'string', maxLength: 100 },
        postcode: { type: 'string', pattern: '^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$' },
        country: { type: 'string', pattern: '^[A-Z]{2}$', default: 'GB' }
      }
    },
    location: {
      type: 'object',
      additionalProperties: false,
      required: ['lat', 'lng'],
      properties: {
        lat: { type: 'number', minimum: -90, maximum: 90 },
        lng: { type: 'number', minimum: -180, maximum: 180 }
      }
    },
    primary_category: { type: 'string', maxLength: 80 },
    other_categories: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 80 } },
    attributes: { type: 'object' }
  }
}

const columns = `b.id, b.name, b.slug, b.description, b.status, b.phone, b.email, b.website, b.price_level,
  b.address_lines, b.address_locality, b.address_region, b.address_postcode, b.address_country,
  b.location_lat, b.location_lng, b.time_zone, b.primary_category, b.other_categories, b.attributes,
  b.source, b.source_id, b.verified, b.inspection_rating, b.version, b.created_at, b.updated_at`

const listings = {
  all: {
    page: `select ${columns} from business.business b
      where b.deleted_at is null order by b.name_sort, b.id limit $1 offset $2`,
    count: `select count(*)::int as total from (select from business.business
      where deleted_at is null limit 10001) found`
  },
  category: {
    page: `select ${columns} from business.listing l join business.business b on b.id = l.business_id
      where l.category = $1 and l.deleted_at is null
      order by l.name_sort, l.business_id limit $2 offset $3`,
    count: `select count(*)::int as total from (select from business.listing
      where category = $1 and deleted_at is null limit 10001) found`
  },
  near: {
    page: `select ${columns}, round(b.position <-> $1::cube)::int as distance_m from business.business b
      where b.deleted_at is null and b.position <@ cube_enlarge($1::cube, $2, 3)
        and b.position <-> $1::cube <= $2
      order by b.position <-> $1::cube, b.id limit $3 offset $4`,
    count: `select count(*)::int as total from (select from business.business b
      where b.deleted_at is null and b.position <@ cube_enlarge($1::cube, $2, 3)
        and b.position <-> $1::cube <= $2 limit 10001) found`
  },
  search: {
    page: `select ${columns} from business.business b, business.search_query($1) query
      where b.deleted_at is null and b.search @@ query
      order by ts_rank(b.search, query) desc, b.id limit $2 offset $3`,
    count: `select count(*)::int as total from (select from business.business b, business.search_query($1) query
      where b.deleted_at is null and b.search @@ query limit 10001) found`
  }
}

const eventNames = `id title summary description status rescheduled_to visibility published_at categories image_url image_alt
  organiser_business_id organiser_person_id organiser_name venue_business_id venue_name venue_address venue_postcode location_lat
  location_lng online_url price_free price_from price_to price_ticket_url age_min age_max accessibility language capacity rsvp_mode
  rsvp_closes_before rsvp_url rsvp_guests_max starts_local ends_local time_zone all_day rrule rdate exdate starts_at ends_at uid
  sequence split_from source source_id created_at updated_at deleted_at version`.split(/\s+/)
const occurrenceNames = `id event_id recurrence_local starts_local ends_local starts_at ends_at status changed title summary
  description venue_business_id venue_name venue_address venue_postcode location_lat location_lng online_url capacity going waiting
  maybe places_left created_at updated_at deleted_at version`.split(/\s+/)
const eventColumns = [...eventNames.map((name) => `t.${name}`), ...occurrenceNames.map((name) => `h.${name} as h_${name}`)]
  .join(', ')

// The statements that Guildford sends: the first rows of each span (what goes on at a time began at most so long before), of
// which the page is made. $1 and $2 are the time asked about.
const spans = `(values (0, $1::timestamptz - interval '26 hours'), (1, $1::timestamptz - interval '32 days'),
  (2, timestamptz '-infinity')) s (span, since)`

function eventStatements (where, more, last) {
  const rows = `l.until > $1::timestamptz and l.starts_at < $2::timestamptz ${where}
    and l.deleted_at is null and l.listed_from <= now()`
  return {
    page: `select ${eventColumns}${more} from (select l.* from ${spans}
      cross join lateral (select l.id, l.event_id, l.starts_at, l.position from event.listing l
        where ${rows} and l.span = s.span and l.starts_at > s.since order by l.starts_at, l.id limit $${last + 3}) l
      order by l.starts_at, l.id limit $${last + 2} offset $${last + 1}) l
      join event.event t on t.id = l.event_id join event.occurrence h on h.id = l.id
      order by l.starts_at, l.id`,
    count: `select count(*)::int as total from (select 1 from ${spans}
      join event.listing l on l.span = s.span and l.starts_at > s.since where ${rows} limit 10001) found`
  }
}

const distance = ', 12742017.6 * asin(least(1, (l.position <-> $3::cube) / 12742017.6)) as distance_m'
const eventListings = {
  when: eventStatements('', '', 2),
  // in some days: found by time
  near: eventStatements('and l.position <-> $3::cube <= $4', distance, 4)
}

// The chord and the point on the sphere of the schema's `position` column.
const RADIUS = 6371008.8

function sphere (lat, lng) {
  const phi = lat * Math.PI / 180
  const lambda = lng * Math.PI / 180
  return `(${RADIUS * Math.cos(phi) * Math.cos(lambda)},${RADIUS * Math.cos(phi) * Math.sin(lambda)},${RADIUS * Math.sin(phi)})`
}

function chord (metres) {
  return 2 * RADIUS * Math.sin(metres / (2 * RADIUS))
}

function toBusiness (row) {
  const out = {
    id: row.id,
    name: row.name,
    slug: row.slug,
    description: row.description,
    status: row.status,
    phone: row.phone,
    email: row.email,
    website: row.website,
    price_level: row.price_level,
    address: {
      lines: row.address_lines,
      locality: row.address_locality,
      region: row.address_region,
      postcode: row.address_postcode,
      country: row.address_country
    },
    location: row.location_lat === null ? null : { lat: row.location_lat, lng: row.location_lng },
    time_zone: row.time_zone,
    primary_category: row.primary_category,
    other_categories: row.other_categories,
    attributes: row.attributes,
    source: row.source,
    source_id: row.source_id,
    verified: row.verified,
    inspection_rating: row.inspection_rating,
    version: row.version,
    created_at: row.created_at,
    updated_at: row.updated_at
  }
  if (row.distance_m !== undefined) out.distance_m = row.distance_m
  return out
}

// Several columns as an object; null when all are.
function group (prefix, names) {
  const columns = names.map((name) => `${prefix}_${name}`)
  return (row) => {
    if (columns.every((column) => row[column] === null)) return null
    const out = {}
    columns.forEach((column, n) => { out[names[n]] = row[column] })
    return out
  }
}

const venueNames = ['business_id', 'name', 'address', 'postcode']
const groups = {
  image: group('image', ['url', 'alt']),
  organiser: group('organiser', ['business_id', 'person_id', 'name']),
  venue: group('venue', venueNames),
  location: group('location', ['lat', 'lng']),
  price: group('price', ['free', 'from', 'to', 'ticket_url']),
  age: group('age', ['min', 'max']),
  rsvp: group('rsvp', ['mode', 'closes_before', 'url', 'guests_max']),
  itsVenue: group('h_venue', venueNames),
  itsLocation: group('h_location', ['lat', 'lng'])
}

function toOccurrence (row) {
  return {
    id: row.h_id,
    event_id: row.h_event_id,
    recurrence_local: row.h_recurrence_local,
    starts_local: row.h_starts_local,
    ends_local: row.h_ends_local,
    starts_at: row.h_starts_at,
    ends_at: row.h_ends_at,
    status: row.h_status,
    changed: row.h_changed,
    title: row.h_title,
    summary: row.h_summary,
    description: row.h_description,
    venue: groups.itsVenue(row),
    location: groups.itsLocation(row),
    online_url: row.h_online_url,
    capacity: row.h_capacity,
    going: row.h_going,
    waiting: row.h_waiting,
    maybe: row.h_maybe,
    places_left: row.h_places_left,
    created_at: row.h_created_at,
    updated_at: row.h_updated_at,
    deleted_at: row.h_deleted_at
  }
}

function toEvent (row) {
  const out = {
    id: row.id,
    title: row.title,
    summary: row.summary,
    description: row.description,
    status: row.status,
    rescheduled_to: row.rescheduled_to,
    visibility: row.visibility,
    published_at: row.published_at,
    categories: row.categories,
    image: groups.image(row),
    organiser: groups.organiser(row),
    venue: groups.venue(row),
    location: groups.location(row),
    online_url: row.online_url,
    price: groups.price(row),
    age: groups.age(row),
    accessibility: row.accessibility,
    language: row.language,
    capacity: row.capacity,
    rsvp: groups.rsvp(row),
    starts_local: row.starts_local,
    ends_local: row.ends_local,
    time_zone: row.time_zone,
    all_day: row.all_day,
    rrule: row.rrule,
    rdate: row.rdate,
    exdate: row.exdate,
    starts_at: row.starts_at,
    ends_at: row.ends_at,
    uid: row.uid,
    sequence: row.sequence,
    split_from: row.split_from,
    source: row.source,
    source_id: row.source_id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deleted_at: row.deleted_at,
    occurrence: toOccurrence(row)
  }
  if (row.distance_m !== undefined) out.distance_m = Math.round(row.distance_m * 10) / 10
  return out
}

const wallClock = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', dateStyle: 'short', timeStyle: 'medium' })

function shownAt (date) {
  return Date.parse(wallClock.format(date).replace(' ', 'T') + 'Z')
}

// The instant at which the town's clock shows that.
function instant (year, month, day, hour) {
  const shown = Date.UTC(year, month, day, hour)
  return new Date(shown - (shownAt(shown) - shown))
}

// From Friday's evening, or from this minute on when it has begun, to the end of Sunday.
function weekend () {
  const now = Math.floor(Date.now() / 60000) * 60000
  const today = new Date(shownAt(now))
  const friday = today.getUTCDate() + 5 - (today.getUTCDay() || 7)
  const at = (days, hour) => instant(today.getUTCFullYear(), today.getUTCMonth(), friday + days, hour)
  return [new Date(Math.max(now, at(0, 17))), at(3, 0)]
}

function dates (from, to) {
  const [year, month, day] = from.split('-').map(Number)
  const [endYear, endMonth, endDay] = to.split('-').map(Number)
  return [instant(year, month - 1, day, 0), instant(endYear, endMonth - 1, endDay + 1, 0)]
}

function slugify (name) {
  return name.normalize('NFKD').toLowerCase().replace(/['’`\u0300-\u036f]/g, '').replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '').slice(0, 100)
}

function problem (status, code, message) {
  return Object.assign(new Error(message), { statusCode: status, code })
}

// Access tokens, each verified once and then known by its digest, and limits in Redis by account: both plugins as their
// pages recommend them.
async function guard (app) {
  const key = createPublicKey({ key: JSON.parse(process.env.ACCESS_JWK), format: 'jwk' })
  await app.register(require('@fastify/jwt'), {
    secret: { public: key.export({ type: 'spki', format: 'pem' }) },
    verify: { algorithms: ['ES256'], allowedIss: process.env.ACCESS_ISSUER, allowedAud: 'guildford', cache: 20000 }
  })
  app.addHook('onRequest', async (request) => {
    if (request.headers.authorization) await request.jwtVerify()
  })
  const Redis = require('ioredis')
  await app.register(require('@fastify/rate-limit'), {
    max: Number(process.env.LIMIT),
    timeWindow: 60000,
    redis: new Redis(process.env.REDIS_SOCKET, { connectTimeout: 500, maxRetriesPerRequest: 1 }),
    keyGenerator: (request) => request.user?.sub ?? request.ip
  })
}

async function serve () {
  const pool = new Pool({ max: 10 })
  const app = Fastify({ logger: false, genReqId: () => randomUUID() })

  app.setErrorHandler((error, request, reply) => {
    const status = error.validation ? 400 : error.statusCode || 500
    const failure = error.validation
      ? {
          code: 'VALIDATION_ERROR',
          message: 'Invalid input',
          details: error.validation.map((v) => ({ field: v.instancePath.slice(1).replaceAll('/', '.'), message: v.message }))
        }
      : { code: status === 500 ? 'INTERNAL' : error.code, message: status === 500 ? 'Internal error' : error.message }
    reply.code(status).send({ success: false, error: failure })
  })
  app.setNotFoundHandler((request, reply) => {
    reply.code(404).send({ success: false, error: { code: 'NOT_FOUND', message: 'Not found' } })
  })

  if (process.env.REDIS_SOCKET) await guard(app)

  app.get('/v1/businesses/:id', {
    schema: {
      params: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } },
      response: { 200: one }
    }
  }, async (request, reply) => {
    const { rows } = await pool.query({
      name: 'business_by_id',
      text: `select ${columns} from business.business b where b.id = $1 and b.deleted_at is null`,
      values: [request.params.id]
    })
    if (rows.length === 0) throw problem(404, 'NOT_FOUND', 'No such business')
    const etag = `"${rows[0].id}-${rows[0].version}"`
    reply.header('etag', etag).header('cache-control', 'no-cache')
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return { success: true, data: toBusiness(rows[0]) }
  })

  app.get('/v1/businesses', { schema: { querystring: listQuery, response: { 200: page } } }, async (request) => {
    const { category, near, radius, q, limit, page } = request.query
    let name = 'all'
    let values = []
    if (category !== undefined) {
      name = 'category'
      values = [category]
    } else if (near !== undefined) {
      name = 'near'
      values = [sphere(...near.split(',').map(Number)), chord(radius)]
    } else if (q !== undefined) {
      name = 'search'
      values = [q]
    }
    const [found, count] = await Promise.all([
      pool.query({ name: `${name}_page`, text: listings[name].page, values: [...values, limit, (page - 1) * limit] }),
      pool.query({ name: `${name}_count`, text: listings[name].count, values })
    ])
    return {
      success: true,
      data: found.rows.map(toBusiness),
      meta: { pagination: { page, limit, total: count.rows[0].total } }
    }
  })

  app.get('/v1/events', { schema: { querystring: eventQuery, response: { 200: pageOf(event) } } }, async (request) => {
    const { when, from, to, near, radius, page, limit } = request.query
    const values = when ? weekend() : dates(from, to)
    let name = 'when'
    if (near !== undefined) {
      name = 'near'
      values.push(sphere(...near.split(',').map(Number)), chord(radius))
    }
    const statements = eventListings[name]
    const offset = (page - 1) * limit
    const { rows } = await pool.query({
      name: `events_${name}_page`,
      text: statements.page,
      values: [...values, offset, limit + 1, offset + limit + 1]
    })
    let total = offset + rows.length
    // a page that is not full tells how many there are
    if (rows.length > limit || (rows.length === 0 && page > 1)) {
      const count = await pool.query({ name: `events_${name}_count`, text: statements.count, values })
      total = count.rows[0].total
    }
    return { success: true, data: rows.slice(0, limit).map(toEvent), meta: { pagination: { page, limit, total } } }
  })

  app.post('/v1/businesses', {
    schema: { body: newBusiness, response: { 201: one } },
    onRequest: async (request) => {
      if (request.headers.authorization !== `Bearer ${process.env.ADMIN_TOKEN}`) {
        throw problem(401, 'UNAUTHORIZED', 'A valid token is needed')
      }
    }
  }, async (request, reply) => {
    const b = request.body
    const address = b.address || {}
    const client = await pool.connect()
    try {
      await client.query('begin')
      const twin = await client.query({
        name: 'business_twin',
        text: `select id from business.business
          where name_sort = business.fold($1) and address_postcode = $2 and deleted_at is null limit 1`,
        values: [b.name, address.postcode ?? null]
      })
      if (twin.rows.length) throw problem(409, 'CONFLICT', `The same business already exists: ${twin.rows[0].id}`)
      const { rows } = await client.query({
        name: 'business_create',
        text: `insert into business.business as b (name, slug, description, status, phone, email, website, price_level,
            address_lines, address_locality, address_region, address_postcode, address_country, location_lat,
            location_lng, primary_category, other_categories, attributes)
          values ($1, business.free_slug($2, $3, null), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
            $18, $19)
          returning ${columns}`,
        values: [b.name, slugify(b.name), slugify(address.locality || ''), b.description, b.status, b.phone, b.email,
          b.website, b.price_level, address.lines || [], address.locality, address.region, address.postcode,
          address.country || 'GB', b.location?.lat, b.location?.lng, b.primary_category, b.other_categories || [],
          b.attributes || {}]
      })
      await client.query('commit')
      reply.code(201).header('location', `/v1/businesses/${rows[0].id}`)
      return { success: true, data: toBusiness(rows[0]) }
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  })

  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT || 8081) })
}

const processes = Number(process.env.PEER_CLUSTER || 1)
if (processes > 1 && cluster.isPrimary) {
  for (let n = 0; n < processes; n++) cluster.fork()
} else {
  serve()
}
