// SPDX-License-Identifier: Apache-2.0
// Reads a calendar from stdin with ical.js and with node-ical, and prints what each of them finds between two instants:
// node read.mjs FROM TO < calendar.ics
import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';
import nodeIcal from 'node-ical';

const [from, to] = process.argv.slice(2).map((text) => new Date(text));
const text = readFileSync(0, 'utf8');
const within = (start) => start >= from && start < to;
const list = (value) => (value === undefined || value === null ? [] : [value].flat());
const plain = (value) => (value && value.val !== undefined ? value.val : value ?? null);

function byIcalJs() {
  const calendar = new ICAL.Component(ICAL.parse(text));
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
  const all = calendar.getAllSubcomponents('vevent');
  const found = [];
  for (const component of all.filter((c) => !c.hasProperty('recurrence-id'))) {
    const uid = component.getFirstPropertyValue('uid');
    const exceptions = all.filter((c) => c.hasProperty('recurrence-id') && c.getFirstPropertyValue('uid') === uid);
    const event = new ICAL.Event(component, { exceptions });
    const show = (item, start, end) => within(start.toJSDate()) && found.push({
      uid, start: start.isDate ? start.toString() : start.toJSDate().toISOString(), end: end.isDate ? end.toString() : end.toJSDate().toISOString(),
      summary: item.summary, description: item.description, location: item.location,
      status: item.component.getFirstPropertyValue('status'), sequence: item.sequence,
      categories: item.component.getAllProperties('categories').flatMap((p) => p.getValues()),
    });
    if (!event.isRecurring()) {
      show(event, event.startDate, event.endDate);
      continue;
    }
    const iterator = event.iterator();
    for (let next = iterator.next(); next && next.toJSDate() < to; next = iterator.next()) {
      const { item, startDate, endDate } = event.getOccurrenceDetails(next);
      show(item, startDate, endDate);
    }
  }
  return { name: calendar.getFirstPropertyValue('x-wr-calname'), found };
}

const date = (day) => `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}-${String(day.getDate()).padStart(2, '0')}`;

function byNodeIcal() {
  const calendar = nodeIcal.sync.parseICS(text);
  const found = [];
  for (const event of Object.values(calendar).filter((item) => item.type === 'VEVENT')) {
    for (const { start, end, isFullDay, event: item } of nodeIcal.expandRecurringEvent(event, { from, to })) {
      if (within(start)) found.push({
        uid: item.uid, start: isFullDay ? date(start) : start.toISOString(), end: isFullDay ? date(end) : end.toISOString(),
        summary: plain(item.summary), description: plain(item.description), location: plain(item.location),
        status: item.status, sequence: Number(item.sequence), categories: list(item.categories),
      });
    }
  }
  return { name: calendar.vcalendar['WR-CALNAME'], found };
}

console.log(JSON.stringify({ 'ical.js': byIcalJs(), 'node-ical': byNodeIcal() }));
