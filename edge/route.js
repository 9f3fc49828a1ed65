/**
 * Where a request goes: the edge's one decision, a pure function that CloudFront Functions and nginx (njs) both run.
 *
 * Strategy: the path is taken apart into decoded segments of harmless characters, or refused; what is forwarded
 * is put together from these segments. So no key or upstream path can hold anything but what this module understood.
 *
 * Both engines know ECMAScript 5.1 with const, let, arrow functions and template literals; neither knows for-of,
 * destructuring, spread or default parameters. The CloudFront build joins this file and its adapter into one
 * (bundle.py), so names at top level are unique in both, and `export default` is one line by itself.
 *
 * A decision is one of
 *   {origin: 'viewer', path}       a file of the viewer
 *   {origin: 'api', path}          the API, never from a cache; the query goes along
 *   {origin: 'static', path, key}  the bucket's object `key`, and where that is missing the API with `path`
 *   {origin: 'store', path}        the STOW service
 *   {origin: 'edge', status, headers, body}  an answer given right here
 */

const ROOT = '/dicomweb';
// Roots of the system that this one replaces; clients configured for it go on working.
const ROOT_ALIASES = { dicomweb: true, qido: true };
const WADO_URI_ALIAS = 'wado';

// For clients that do not take gzip: their own copies, so that no server has to unpack on the way.
const IDENTITY_PREFIX = 'identity/';

// UIDs, names of resources, frame lists and tag paths need no other characters. A leading dot is out, and with it `..`.
const SAFE_PATH = /^(\/[A-Za-z0-9_][A-Za-z0-9_.,~+-]*)*$/;
// A file of the viewer has an extension that begins with a letter: the end of a UID does not.
const FILE_NAME = /\.[A-Za-z][A-Za-z0-9]*$/;

// Header values: a separator between double quotes does not separate.
const BETWEEN_COMMAS = /(?:[^,"]|"[^"]*")+/g;
const BETWEEN_SEMICOLONS = /(?:[^;"]|"[^"]*")+/g;

const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
  'Access-Control-Allow-Headers': 'Accept, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range',
  'Access-Control-Max-Age': '86400',
};

/**
 * What the stored object of a kind is. `types`: its media types, single part. `parts`: the values of `type` of a
 * multipart/related that it satisfies. `usual`: what OHIF sends, known without parsing. A kind that is not named here
 * is asked for under its path whatever the Accept says: only the API writes such objects.
 */
const STORED = {
  metadata: { types: ['application/dicom+json', 'application/json'], usual: 'application/dicom+json' },
  // PS3.18 Table 8.7.3-5 has octet-stream without transfer-syntax mean uncompressed. Viewers that say so take what is
  // stored, by the part's own Content-Type; asking the API for each frame would make them slow for nothing.
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
 * @param {string} method   in capitals
 * @param {string} path     as received, percent-encoded, without the query
 * @param {string} query    as received, without the question mark; may be empty
 * @param {object} headers  `accept` and `accept-encoding` as received; undefined where absent
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
  // `stowrs --url http://host/studies`: the store root of the replaced system. Its GET is the viewer's.
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
  // The viewer routes in the browser: each path that is no file of it shows its start page.
  if (segments.length === 0 || !FILE_NAME.test(segments[segments.length - 1])) {
    return { origin: 'viewer', path: '/index.html' };
  }
  const path = `/${segments.join('/')}`;
  return SAFE_PATH.test(path) ? { origin: 'viewer', path: path } : refusal(404, 'There is no such file');
}

/**
 * Decoded segments of a path, or null where it cannot be decoded, has a dot segment or a slash within a segment. Empty
 * ones are dropped: a client whose root ends in a slash asks for `/dicomweb//studies`.
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

/** Kind of the resource that the segments below the root name (PS3.18 §10.4.1 and §10.6.1, §9.4 for WADO-URI). */
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
    // A whole study or series as DICOM has no bound on its size and no object of its own.
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

/** Whether the bucket's object of this kind is what the client asks for; if not, the API makes what is. */
function isStoredForm(kind, query, accept) {
  const stored = STORED[kind];
  if (stored === undefined) {
    return true;
  }
  // Window, viewport, quality or annotation make another picture; `accept` stands for the header (§8.3.3.1).
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
  // §8.7.5: DICOM and rendered types must not be mixed. The API says so.
  if (kind !== 'rendered' && ranges.some((range) => /^(image|video|text)\//.test(range.name))) {
    return false;
  }

  // RFC 9110 §12.5.1: the most specific range gives a type's weight.
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

/** How exactly a media range names the stored type: 0 not at all, 1 by `*`, 2 by its main type, 3 fully. */
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
  // What transfer syntax an object is stored in is not known here, so only "any" is certain to match.
  const isAnySyntax = range.transferSyntax === '' || range.transferSyntax === '*';
  return range.name === 'multipart/related' && isAnySyntax && stored.parts.indexOf(range.part) >= 0 ? 3 : 0;
}

/** Members of an Accept or Accept-Encoding header; those of weight 0 too, since they exclude. */
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

/** Whether a client takes gzip. Where the header is absent it does not: such clients mostly cannot decode it. */
function acceptsGzip(acceptEncoding) {
  if (acceptEncoding !== undefined && acceptEncoding.indexOf('gzip, ') === 0) {
    return true; // every browser
  }
  const codings = members(acceptEncoding);
  const named = codings.filter((coding) => coding.name === 'gzip' || coding.name === 'x-gzip');
  const deciding = named.length > 0 ? named : codings.filter((coding) => coding.name === '*');
  return deciding.some((coding) => coding.weight > 0);
}

/** Trimmed, not empty parts of a header that a pattern of what does not separate finds. */
function parts(text, pattern) {
  return ((text || '').match(pattern) || []).map((part) => part.trim()).filter((part) => part !== '');
}

/** First value of a query parameter as it stands there, or null. */
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
