/**
 * Decides where a request goes: a pure function that both CloudFront Functions and nginx (njs) run.
 *
 * Strategy: a path is split into decoded segments of harmless characters, or refused. Keys and upstream paths are built
 * from these segments only, so they contain nothing that this module did not understand.
 *
 * Both engines support ECMAScript 5.1 with const, let, arrow functions and template literals; neither supports for-of,
 * destructuring, spread or default parameters. bundle.py joins this file and the CloudFront adapter to one file, so
 * names at top level must be unique in both, and `export default` must be a line of its own.
 *
 * A decision is one of
 *   {origin: 'viewer', path}       a file of the viewer
 *   {origin: 'api', path}          the API, with the query; never answered from the cache
 *   {origin: 'static', path, key}  the bucket's object `key`, or the API with `path` if the object is missing
 *   {origin: 'store', path}        the STOW service
 *   {origin: 'edge', status, headers, body}  a response of the edge itself
 */

const ROOT = '/dicomweb';
// `qido` and `wado` are roots of the system that this one replaces: clients that are configured for it still work.
const ROOT_ALIASES = { dicomweb: true, qido: true };
const WADO_URI_ALIAS = 'wado';

// Prefix of uncompressed copies for clients that do not accept gzip, so that no server has to decompress objects.
const IDENTITY_PREFIX = 'identity/';

// UIDs, names of resources, frame lists and tag paths need no other characters. Excludes a leading dot, and so `..`.
const SAFE_PATH = /^(\/[A-Za-z0-9_][A-Za-z0-9_.,~+-]*)*$/;
// A file of the viewer has an extension that begins with a letter, unlike the last component of a UID.
const FILE_NAME = /\.[A-Za-z][A-Za-z0-9]*$/;

// Parts of a header's value; a separator between double quotes does not count.
const BETWEEN_COMMAS = /(?:[^,"]|"[^"]*")+/g;
const BETWEEN_SEMICOLONS = /(?:[^;"]|"[^"]*")+/g;

const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
  'Access-Control-Allow-Headers': 'Accept, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range',
  'Access-Control-Max-Age': '86400',
};

/**
 * The form in which each kind of object is stored. `types`: its media types, if it is a single part. `parts`: the
 * values of the parameter `type` of multipart/related that it satisfies. `usual`: the Accept of OHIF, which is compared
 * without parsing. Other kinds are looked up in the bucket whatever the Accept says: only the API writes such objects.
 */
const STORED = {
  metadata: { types: ['application/dicom+json', 'application/json'], usual: 'application/dicom+json' },
  // By PS3.18 Table 8.7.3-5, octet-stream without transfer-syntax means uncompressed. Viewers that send it accept the
  // stored frame, whose part has a Content-Type of its own; asking the API for each frame would only slow them down.
  frames: {
    parts: ['', '*/*', 'image/*', 'application/octet-stream'],
    usual: 'multipart/related; type=application/octet-stream; transfer-syntax=*',
  },
  bulkdata: { parts: ['', '*/*', 'application/octet-stream'] },
  instance: { parts: ['', '*/*', 'application/dicom'] },
  rendered: { types: ['image/jpeg'] },
};

/**
 * Decide where a request goes.
 *
 * @param {string} method   in upper case
 * @param {string} path     as received, percent-encoded, without the query
 * @param {string} query    as received, without the question mark; may be empty
 * @param {object} headers  `accept` and `accept-encoding` as received; undefined if absent
 * @returns {object} a decision, see the top of this file
 */
function route(method, path, query, headers) {
  const segments = decodedSegments(path);
  if (segments === null) {
    return refusal(400, 'The path is not valid: it has a malformed percent-encoding or a dot segment');
  }
  if (ROOT_ALIASES[segments[0]] === true) {
    return routeDicomweb(method, segments.slice(1), query, headers);
  }
  if (segments[0] === WADO_URI_ALIAS && segments.length === 1) {
    return routeDicomweb(method, [], query, headers);
  }
  // The store root of the replaced system (`stowrs --url http://host/studies`). A GET of this path is the viewer's.
  if (isStorePath(segments) && (method === 'POST' || method === 'OPTIONS')) {
    return routeDicomweb(method, segments, query, headers);
  }
  return routeViewer(method, segments);
}

function routeDicomweb(method, segments, query, headers) {
  if (method === 'OPTIONS') {
    return { origin: 'edge', status: 204, headers: PREFLIGHT_HEADERS, body: '' };
  }
  const resource = segments.length === 0 ? '' : `/${segments.join('/')}`;
  if (!SAFE_PATH.test(resource)) {
    return refusal(400, 'The path holds a character that no DICOMweb resource has');
  }
  const canStore = isStorePath(segments);
  if (method === 'POST' && canStore) {
    return { origin: 'store', path: resource };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return methodRefusal(canStore ? 'GET, HEAD, POST, OPTIONS' : 'GET, HEAD, OPTIONS');
  }

  const path = ROOT + resource;
  const kind = kindOf(segments, query);
  if (kind === 'none') {
    return refusal(404, 'There is no such DICOMweb resource');
  }
  if (kind === 'search' || kind === 'wado-uri' || kind === 'streamed' || !isStoredForm(kind, query, headers.accept)) {
    return { origin: 'api', path: path };
  }
  const prefix = acceptsGzip(headers['accept-encoding']) ? '' : IDENTITY_PREFIX;
  return { origin: 'static', path: path, key: prefix + path.slice(1) };
}

function routeViewer(method, segments) {
  if (method !== 'GET' && method !== 'HEAD') {
    return methodRefusal('GET, HEAD');
  }
  // The viewer does its own routing in the browser: every path that is not a file returns its start page.
  if (segments.length === 0 || !FILE_NAME.test(segments[segments.length - 1])) {
    return { origin: 'viewer', path: '/index.html' };
  }
  const path = `/${segments.join('/')}`;
  return SAFE_PATH.test(path) ? { origin: 'viewer', path: path } : refusal(404, 'There is no such file');
}

/**
 * Decoded segments of a path, or null if it cannot be decoded, has a dot segment, or has a slash within a segment.
 * Empty segments are dropped: a client whose root ends in a slash requests `/dicomweb//studies`.
 */
function decodedSegments(path) {
  if (SAFE_PATH.test(path)) {
    return path.slice(1).split('/'); // nearly every request; the rest costs njs four times as much
  }
  let segments;
  try {
    segments = path.split('/').filter((segment) => segment !== '').map(decodeURIComponent);
  } catch (error) {
    return null;
  }
  return segments.some((segment) => segment === '.' || segment === '..' || /[/\\]/.test(segment)) ? null : segments;
}

function isStorePath(segments) {
  return segments[0] === 'studies' && segments.length <= 2;
}

/** Kind of the resource that the segments below the root identify (PS3.18 §10.4.1, §10.6.1; §9.4 for WADO-URI). */
function kindOf(segments, query) {
  const length = segments.length;
  if (length === 0) {
    return parameter(query, 'requestType') === 'WADO' ? 'wado-uri' : 'none';
  }
  if (length === 1) {
    return segments[0] === 'studies' || segments[0] === 'series' || segments[0] === 'instances' ? 'search' : 'none';
  }
  if (segments[0] !== 'studies') {
    return 'none';
  }

  let level = 'study';
  let end = 2;
  if (length > 3 && segments[2] === 'series') {
    level = 'series';
    end = 4;
    if (length > 5 && segments[4] === 'instances') {
      level = 'instance';
      end = 6;
    }
  }
  const name = segments[end];
  const after = length - end - 1;
  if (after === -1) {
    // A whole study or series as DICOM has no object of its own, because its size is not limited.
    return level === 'instance' ? 'instance' : 'streamed';
  }
  if (level === 'instance' && name === 'frames' && after >= 1) {
    return after === 1 ? 'frames' : isRenderedName(segments[end + 2]) && after === 2 ? 'rendered' : 'other';
  }
  if (name === 'bulkdata' && after >= 1) {
    return 'bulkdata';
  }
  if (after > 0) {
    return 'other';
  }
  if (name === 'metadata') {
    return 'metadata';
  }
  if (isRenderedName(name)) {
    return 'rendered';
  }
  if ((name === 'series' && level === 'study') || (name === 'instances' && level !== 'instance')) {
    return 'search';
  }
  return 'other';
}

function isRenderedName(name) {
  return name === 'rendered' || name === 'thumbnail';
}

/** Whether the stored object has the form that the client requests; otherwise the API creates that form. */
function isStoredForm(kind, query, accept) {
  const stored = STORED[kind];
  if (stored === undefined) {
    return true;
  }
  // Window, viewport, quality and annotation change the picture; `accept` replaces the header (§8.3.3.1).
  if (query !== '' && (kind === 'rendered' || parameter(query, 'accept') !== null)) {
    return false;
  }
  if (accept === stored.usual) {
    return true;
  }
  const ranges = members(accept);
  if (ranges.length === 0) {
    return true;
  }
  // §8.7.5: DICOM and rendered types must not be mixed. The API refuses such a request.
  if (kind !== 'rendered' && ranges.some((range) => /^(image|video|text)\//.test(range.name))) {
    return false;
  }

  // RFC 9110 §12.5.1: the most specific range determines the weight of a type.
  let specificity = 0;
  let weight = 0;
  let otherWeight = 0;
  ranges.forEach((range) => {
    const match = matchSpecificity(range, stored);
    if (match === 0) {
      otherWeight = Math.max(otherWeight, range.weight);
    } else if (match > specificity) {
      specificity = match;
      weight = range.weight;
    } else if (match === specificity) {
      weight = Math.max(weight, range.weight);
    }
  });
  return weight > 0 && weight >= otherWeight;
}

/** How exactly a media range matches the stored type: 0 not at all, 1 by a wildcard, 2 by the main type, 3 fully. */
function matchSpecificity(range, stored) {
  if (range.name === '*/*') {
    return 1;
  }
  if (stored.types !== undefined) {
    return stored.types.indexOf(range.name) >= 0 ? 3 : range.name === `${stored.types[0].split('/')[0]}/*` ? 2 : 0;
  }
  if (range.name === 'multipart/*') {
    return 2;
  }
  // The transfer syntax of the stored object is not known here, so only "any" is certain to match.
  const isAnySyntax = range.transferSyntax === '' || range.transferSyntax === '*';
  return range.name === 'multipart/related' && isAnySyntax && stored.parts.indexOf(range.part) >= 0 ? 3 : 0;
}

/** Members of an Accept or Accept-Encoding header, including those of weight 0, which exclude a form. */
function members(header) {
  return parts(header, BETWEEN_COMMAS).map((text) => {
    const fields = parts(text, BETWEEN_SEMICOLONS);
    const member = { name: (fields[0] || '').toLowerCase(), part: '', transferSyntax: '', weight: 1 };
    fields.slice(1).forEach((field) => {
      const equals = field.indexOf('=');
      const name = field.slice(0, equals).trim().toLowerCase();
      const value = field.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
      if (name === 'type') {
        member.part = value.toLowerCase();
      } else if (name === 'transfer-syntax') {
        member.transferSyntax = value;
      } else if (name === 'q') {
        member.weight = parseFloat(value) >= 0 ? parseFloat(value) : 1;
      }
    });
    return member;
  });
}

/** Whether a client accepts gzip. Clients without the header mostly cannot decode it, so they count as not. */
function acceptsGzip(acceptEncoding) {
  if (acceptEncoding !== undefined && acceptEncoding.indexOf('gzip, ') === 0) {
    return true; // every browser
  }
  const codings = members(acceptEncoding);
  const named = codings.filter((coding) => coding.name === 'gzip' || coding.name === 'x-gzip');
  const deciding = named.length > 0 ? named : codings.filter((coding) => coding.name === '*');
  return deciding.some((coding) => coding.weight > 0);
}

/** Trimmed, non-empty parts of a header; the pattern matches the text between two separators. */
function parts(text, pattern) {
  return ((text || '').match(pattern) || []).map((part) => part.trim()).filter((part) => part !== '');
}

/** First value of a query parameter, still encoded, or null if it is absent. */
function parameter(query, name) {
  const found = query.split('&').filter((pair) => pair === name || pair.indexOf(`${name}=`) === 0);
  return found.length === 0 ? null : found[0].slice(name.length + 1);
}

function methodRefusal(allowed) {
  const answer = refusal(405, `The resource takes ${allowed}`);
  answer.headers.Allow = allowed;
  return answer;
}

function refusal(status, message) {
  return {
    origin: 'edge',
    status: status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ error: message }),
  };
}

export default route;
