'use strict';
// The page asks the agent for its status every few seconds and brings what it shows in line with it. Texts are only
// ever set as text: whatever a check reports, it stays text.

const pause = 3000; // milliseconds between two looks
const mostWait = {GET: 10000}; // milliseconds for an answer
const mostWaitToChange = 30000; // which may have to wait for the disk
const old = 10000; // milliseconds after which what is shown is called old
const mostChecks = 200; // rows shown at a time
const $ = id => document.getElementById(id);

// make builds an element: make('p', {class: 'soft'}, 'text', child …).
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// part is the element in another that has this class, with this text.
function part(parent, name, text) {
  const element = parent.querySelector('.' + name);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

// align makes the children of a list those of the items, in their order, keeping what is there: so what is open stays
// open, and the focus stays where it is.
function align(list, items, keyOf, create, update) {
  const wanted = new Set(items.map(item => String(keyOf(item))));
  for (const element of [...list.children]) if (!wanted.has(element.dataset.key)) element.remove(); // first: what moves loses the focus
  const known = new Map([...list.children].map(element => [element.dataset.key, element]));
  items.forEach((item, i) => {
    const key = String(keyOf(item));
    let element = known.get(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] || null);
  });
}

function duration(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  const units = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  const at = units.findIndex(([size]) => seconds >= size);
  if (at < 0) return '0 s';
  const [size, unit] = units[at];
  const rest = at + 1 < units.length ? Math.floor(seconds % size / units[at + 1][0]) : 0;
  return Math.floor(seconds / size) + ' ' + unit + (rest ? ' ' + rest + ' ' + units[at + 1][1] : '');
}

let ahead = 0; // milliseconds by which the agent's clock is ahead of ours
const now = () => Date.now() + ahead;
const since = time => duration((now() - Date.parse(time)) / 1000);
const until = time => duration((Date.parse(time) - now()) / 1000);
const clock = time => new Date(time).toLocaleString([], {dateStyle: 'short', timeStyle: 'long'}); // with the zone

// ask asks the API; what it answers to a mistake is the error. An agent that hangs is not waited for: it takes
// connections, and says nothing.
async function ask(method, path, body) {
  const patience = mostWait[method] || mostWaitToChange;
  try {
    const response = await fetch('api/v1/' + path,
      {method, body: body && JSON.stringify(body), cache: 'no-store', signal: AbortSignal.timeout(patience)});
    if (!response.ok) throw new Error((await response.text()).trim() || response.statusText);
    const date = Date.parse(response.headers.get('Date'));
    if (date && Math.abs(date - Date.now()) > 5000) ahead = date - Date.now();
    return await response.json();
  } catch (error) {
    throw error.name === 'TimeoutError' ? new Error('nothing came within ' + duration(patience / 1000)) : error;
  }
}

const plural = (n, what) => n + ' ' + what + (n === 1 ? '' : 's');

function nameOf(alert) {
  const labels = alert.labels || {};
  const where = labels.target || labels.directory ||
    Object.keys(labels).filter(key => key !== 'check' && !key.startsWith('from_')).map(key => key + '=' + labels[key]).join(' ');
  return [alert.title, where].filter(Boolean).join(' ');
}

function showAlerts(alerts) {
  const open = alerts.filter(alert => alert.phase !== 'recovered');
  $('no-alerts').hidden = open.length > 0;
  align($('alerts'), open, alert => alert.alert_key, createAlert, (element, alert) => {
    element.style.setProperty('--state', `var(--${alert.severity})`);
    part(element, 'state', alert.severity + (alert.phase === 'pending' ? ', pending' : ''));
    part(element, 'title', nameOf(alert));
    part(element, 'seen', alert.seen || '');
    part(element, 'soft', `for ${since(alert.since)}, told ${plural(alert.told, 'time')}; ${alert.standing}`);
    element.querySelector('.ack').hidden = alert.phase !== 'firing';
    part(element, 'ack', alert.acknowledged ? 'Take the acknowledgement back' : 'Acknowledge');
    element.dataset.acknowledged = alert.acknowledged ? 'yes' : '';
    if (element.querySelector('details').open) showStory(element, alert.alert_key);
  });
}

function createAlert(alert) {
  const key = alert.alert_key;
  const element = make('li', {},
    make('p', {}, make('span', {class: 'state'}), ' ', make('span', {class: 'title'})),
    make('p', {class: 'seen'}),
    make('p', {class: 'soft'}),
    make('details', {toggle: () => showStory(element, key)}, make('summary', {}, 'why'), make('pre', {class: 'description'}), make('ul', {class: 'story'})),
    make('p', {class: 'buttons'},
      make('button', {type: 'button', class: 'silence', click: () => openSilence(alert.labels)}, 'Silence …'),
      make('button', {type: 'button', class: 'ack', click: () => act(() => ask(element.dataset.acknowledged ? 'DELETE' : 'POST', 'ack?key=' + encodeURIComponent(key)))}, 'Acknowledge')));
  return element;
}

async function showStory(element, key) {
  if (!element.querySelector('details').open) return;
  try {
    const why = await ask('GET', 'why?q=' + encodeURIComponent(key));
    const story = why.alerts[0] || {story: []};
    const lines = [...(story.before ? [{from: '', said: story.before}] : []), ...story.story,
      ...(story.refused || []).map(r => ({from: r.told, said: `output ${r.output} refused what was told at ${clock(r.told)}: ${r.reason}`}))];
    part(element, 'description', why.alerts.length ? (why.alerts[0].description || '').replace(/^\[MD\]/, '').trim() : '');
    align(element.querySelector('.story'), lines, line => line.from + (line.said || line.text), () => make('li'), (item, line) => {
      const text = line.said || clock(line.from) + ': ' + line.status + (line.results > 1 ? ' × ' + line.results : '') + ', ' + line.text;
      if (item.textContent !== text) item.textContent = text;
    });
  } catch (error) {
    element.querySelector('.story').textContent = error.message;
  }
}

function showSilences(silences) {
  $('no-silences').hidden = silences.length > 0;
  align($('silences'), silences, s => s.id || s.by, s => make('li', {},
    make('p', {class: 'title'}), make('p', {class: 'soft'}),
    ...(s.id ? [make('p', {class: 'buttons'}, make('button', {type: 'button', class: 'end', click: () => act(() => ask('DELETE', 'silences/' + s.id))}, 'End'))] : [])),
  (element, s) => {
    part(element, 'title', Object.entries(s.match).map(([label, globs]) => quotedLabel(label) + ' = ' + globs.map(quotedGlob).join(' or ')).join(', '));
    const ends = s.process ? `while ${s.process.command} (process ${s.process.pid}) runs` : `until ${clock(s.until)}, ${until(s.until)} more`;
    part(element, 'soft', [ends, s.by && 'by ' + s.by, s.reason].filter(Boolean).join('; '));
  });
}

function failure(q) {
  const refused = q.refuses && '; it refused the last ' + (q.refused_in_a_row === 1 ? 'event' : plural(q.refused_in_a_row, 'event'));
  return 'has failed for ' + since(q.fails_since) + (refused || '');
}

function showOutputs(outputs) {
  align($('outputs'), outputs, q => q.name, () => make('li', {},
    make('p', {}, make('span', {class: 'title'}), ' ', make('span', {class: 'state'})), make('p', {class: 'soft'})),
  (element, q) => {
    const state = q.orphan ? 'Unknown' : q.fails_since ? 'Critical' : q.last_success ? 'Ok' : 'Unknown';
    element.style.setProperty('--state', `var(--${state})`);
    part(element, 'title', q.name);
    part(element, 'state', q.orphan ? 'no such output' : q.fails_since ? failure(q) : q.last_success ? 'delivers' : 'nothing delivered yet');
    part(element, 'soft', [
      plural(q.queued, 'event') + ' waiting', q.counts.delivered + ' delivered', q.dead_letters && plural(q.dead_letters, 'dead letter'),
      q.counts.lost && q.counts.lost + ' lost', q.next_try && 'next try in ' + until(q.next_try), q.fails_since && q.last_error,
    ].filter(Boolean).join('; '));
  });
}

const rank = {Critical: 0, Warning: 1, Info: 2};
let checks = [];

function showChecks() {
  const wanted = $('filter').value.trim().toLowerCase();
  const found = checks.filter(c => [c.id, c.at, c.looks_at].join(' ').toLowerCase().includes(wanted))
    .sort((a, b) => (rank[a.result] ?? 3) - (rank[b.result] ?? 3));
  const shown = found.slice(0, mostChecks);
  $('more-checks').hidden = shown.length === found.length;
  $('more-checks').textContent = `and ${found.length - shown.length} more, none of them worse: name what you look for`;
  align($('checks'), shown, c => c.key || c.id, () => make('li', {},
    make('span', {class: 'state'}), make('span', {class: 'title'}), make('span', {class: 'place soft'}), make('span', {class: 'ran soft'}), make('span', {class: 'strip'})),
  (element, c) => {
    element.style.setProperty('--state', `var(--${c.result || 'Unknown'})`);
    part(element, 'state', c.result || '–');
    part(element, 'title', c.looks_at || c.id);
    part(element, 'place', [c.looks_at && c.id, c.at].filter(Boolean).join(' at ') + (c.error ? ': ' + c.error : ''));
    part(element, 'ran', c.running ? 'running' : c.idle ? 'never' : c.last_run ? since(c.last_run) + ' ago' : 'not yet');
    const strip = element.querySelector('.strip');
    if (strip.dataset.recent !== c.recent + c.runs) {
      strip.dataset.recent = c.recent + c.runs;
      strip.title = c.recent;
      strip.replaceChildren(...[...c.recent].map(letter => make('i', {class: letter === '?' ? 'U' : letter})));
    }
  });
}

// faultsOf are those of catpaw itself: while there is one, nobody may hear of an alert, so that not all is well.
function faultsOf(status) {
  const failing = status.outputs.filter(q => q.fails_since && !q.orphan).length;
  return [failing && plural(failing, 'output') + (failing === 1 ? ' fails' : ' fail'), status.heartbeat?.error && 'no heartbeat gets through',
    status.state.trouble && 'nothing is kept on disk', status.configuration.refused && 'the last reload was refused'].filter(Boolean).join(', ');
}

// headline is the worst of it.
function headline(firing, faults) {
  if (firing) return [plural(firing, 'alert') + ' firing', faults].filter(Boolean).join(', ');
  return faults ? 'no alert fires, but ' + faults : 'all is well';
}

function show(status, silences) {
  const count = phase => status.alerts.filter(a => a.phase === phase).length;
  const firing = count('firing'), pending = count('pending');
  const summary = [headline(firing, faultsOf(status)), pending ? pending + ' pending' : '', silences.length ? plural(silences.length, 'silence') : ''];
  $('summary').textContent = summary.filter(Boolean).join(', ');
  title = (firing ? '(' + firing + ') ' : '') + status.host + ' – catpaw';
  $('host').textContent = status.host;
  $('agent').textContent = `version ${status.version}, up for ${since(status.started)}; ${plural(status.checks.length, 'check')}; configuration ${status.configuration.hash}`;
  problem([status.heartbeat && status.heartbeat.error && 'No heartbeat: ' + status.heartbeat.error,
    status.state.trouble && 'Nothing is kept on disk: ' + status.state.trouble,
    status.configuration.refused && 'The last reload was refused:\n' + status.configuration.refused].filter(Boolean).join('\n'));
  checks = status.checks.concat(status.idle.map(i => ({...i, id: i.plugin, key: i.plugin + ' at ' + i.at, idle: true, runs: 0, recent: ''})));
  showAlerts(status.alerts);
  showSilences(silences);
  showOutputs(status.outputs);
  showChecks();
}

function problem(text) {
  $('problem').hidden = !text;
  if ($('problem').textContent !== text) $('problem').textContent = text;
}

let title = document.title;
let shownAt = 0; // when the agent last answered all that is shown; 0: never
const openedAt = Date.now();

// showAge says so where what is shown may be true no more: all is well is the worst thing to read then.
function showAge() {
  const age = Date.now() - (shownAt || openedAt);
  const isOld = age >= old;
  document.body.classList.toggle('old', isOld);
  document.title = (isOld ? '? ' : '') + title;
  $('age').hidden = !isOld;
  const text = shownAt ? `What is shown here is ${duration(age / 1000)} old.` : `The agent has not answered for ${duration(age / 1000)}.`;
  $('age').textContent = isOld ? text : '';
}

let looking = false;

async function look() {
  if (looking || document.hidden) return;
  looking = true;
  try {
    const [status, silences] = await Promise.all([ask('GET', 'status'), ask('GET', 'silences')]);
    shownAt = Date.now();
    show(status, silences);
  } catch (error) {
    problem('The agent does not answer: ' + error.message);
  } finally {
    looking = false;
    showAge();
  }
}

// tell shows what came of the last act, until the next: what went wrong, and what one ought to know of it.
function tell(failed, notice) {
  for (const [id, text] of [['failed', failed], ['notice', notice]]) {
    $(id).textContent = text;
    $(id).hidden = !text;
  }
}

const unkept = answer => answer.not_on_disk ? 'It is in force, but not on disk yet, so that a crash now would forget it: ' + answer.not_on_disk : '';

// act changes something and shows what came of it.
async function act(change) {
  try {
    tell('', unkept(await change()));
  } catch (error) {
    tell(error.message, '');
  }
  await look();
}

// quotedLabel and quotedGlob write a label and a glob as readMatch reads them, as catpaw silence list does.
const quotedIf = (needed, text) => needed || text !== text.trim() || text === '' ? '"' + text + '"' : text;
const quotedLabel = text => quotedIf(/^"|=|, /.test(text), text);
const quotedGlob = text => quotedIf(/^".*"$| or |, /.test(text), text);

function openSilence(labels = {}) {
  const match = $('silence-match');
  $('silence-form').reset();
  match.replaceChildren(match.firstElementChild, ...Object.entries(labels).map(([label, value]) => make('label', {},
    make('input', {type: 'checkbox', 'data-label': label, 'data-value': value, ...(label.startsWith('from_') ? {} : {checked: ''})}), ` ${quotedLabel(label)} = ${quotedGlob(value)}`)));
  match.hidden = Object.keys(labels).length === 0;
  $('silence-error').hidden = true;
  $('silence-dialog').showModal();
}

// literal makes a glob that matches only this text. Without * ? [ a pattern is no glob, and a backslash in it is one. What
// the agent hides of a login, it shows as ***@: that is any login.
function literal(text) {
  if (!/[*?[]/.test(text)) return text;
  return text.replace(/[\\*?[\]{},!]/g, '\\$&').replaceAll('\\*\\*\\*@', '*@');
}

// readMatch reads label=glob. Blanks around either do not count, unless it stands in double quotes; as catpaw silence
// add reads it.
function readMatch(line) {
  const found = line.match(/^\s*(?:"([^"]+)"|([^"=\s][^=]*?))\s*=\s*(.*?)\s*$/);
  if (!found) throw new Error(`${line.trim()} is not label=glob`);
  return [found[1] ?? found[2], found[3].replace(/^"(.*)"$/, '$1')];
}

// matchOf is what the dialog asks for. It is a Map first, for a label may have any name.
function matchOf() {
  const match = new Map();
  const add = (label, glob) => match.set(label, [...(match.get(label) || []), glob]);
  for (const box of $('silence-match').querySelectorAll('input:checked')) add(box.dataset.label, literal(box.dataset.value));
  for (const line of $('silence-more').value.split('\n').filter(line => line.trim())) add(...readMatch(line));
  return Object.fromEntries(match);
}

async function addSilence(event) {
  event.preventDefault();
  $('silence-add').disabled = true; // until it is answered: a second press would be a second silence
  try {
    const one = await ask('POST', 'silences', {match: matchOf(), for_seconds: Number($('silence-for').value), reason: $('silence-reason').value.trim()});
    $('silence-dialog').close();
    tell('', [one.open_alerts.length ? '' : `Silence ${one.id} is in force, but no alert that is open now matches it.`, unkept(one)].filter(Boolean).join('\n'));
  } catch (error) {
    $('silence-error').textContent = error.message;
    $('silence-error').hidden = false;
    return;
  } finally {
    $('silence-add').disabled = false;
  }
  await look();
}

$('silence-new').addEventListener('click', () => openSilence());
$('silence-cancel').addEventListener('click', () => $('silence-dialog').close());
$('silence-form').addEventListener('submit', addSilence);
$('filter').addEventListener('input', showChecks);
document.addEventListener('visibilitychange', look);
setInterval(look, pause);
setInterval(showAge, 1000);
look();
