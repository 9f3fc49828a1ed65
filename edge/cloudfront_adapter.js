/**
 * Runs the routing decision as a CloudFront Function (JavaScript runtime 2.0) on viewer requests.
 *
 * The distribution must have the origins named below. `static-identity` is the static bucket with the origin path
 * `/identity`: if the bucket has no such object, the API gets the same request, so its path must not hold the prefix.
 * The cache key must hold the header that `VARIANT` names and all query strings: one URL has several representations.
 */

import cf from 'cloudfront';
import route from 'route.js';

const ORIGINS = { viewer: 'viewer', api: 'api', store: 'stow', static: 'static', identity: 'static-identity' };
// Not `x-edge-...`: CloudFront refuses a function that touches headers with that beginning.
const VARIANT = 'x-variant';
// Without the permission to list, S3 says 403 of an object that is not there.
const MISSING = [403, 404];
// A response headers policy adds these to what origins answer; the edge's own answers bring them along.
const ANSWER_HEADERS = {
  'access-control-allow-origin': { value: '*' },
  'x-content-type-options': { value: 'nosniff' },
};

function handler(event) {
  const request = event.request;
  const accept = headerText(request.headers.accept);
  const decision = route(request.method, request.uri, queryText(request.querystring), {
    accept: accept,
    'accept-encoding': headerText(request.headers['accept-encoding']),
  });
  if (decision.origin === 'edge') {
    return ownAnswer(decision);
  }

  if (accept === undefined) {
    // API Gateway leaves a binary answer in base64 where a request has no Accept; none means any (RFC 9110 §12.5.1).
    request.headers.accept = { value: '*/*' };
  }
  request.uri = decision.path;
  if (decision.origin === 'static') {
    const isIdentity = decision.key !== decision.path.slice(1);
    const primary = isIdentity ? ORIGINS.identity : ORIGINS.static;
    request.querystring = {};
    request.headers[VARIANT] = { value: primary };
    cf.createRequestOriginGroup({
      originIds: [{ originId: primary }, { originId: ORIGINS.api }],
      failoverCriteria: { statusCodes: MISSING },
    });
  } else {
    request.headers[VARIANT] = { value: `${decision.origin} ${accept === undefined ? '' : accept}` };
    cf.selectRequestOriginById(ORIGINS[decision.origin]);
  }
  return request;
}

function ownAnswer(decision) {
  const headers = {};
  Object.keys(ANSWER_HEADERS).forEach((name) => {
    headers[name] = ANSWER_HEADERS[name];
  });
  Object.keys(decision.headers).forEach((name) => {
    headers[name.toLowerCase()] = { value: decision.headers[name] };
  });
  return { statusCode: decision.status, headers: headers, body: { encoding: 'text', data: decision.body } };
}

/** A header as one text, or undefined where it is absent. */
function headerText(header) {
  if (header === undefined) {
    return undefined;
  }
  return header.multiValue === undefined ? header.value : header.multiValue.map((one) => one.value).join(', ');
}

/** The query as it was, from CloudFront's object of names and (still encoded) values. */
function queryText(parameters) {
  const pairs = [];
  Object.keys(parameters).forEach((name) => {
    const values = parameters[name].multiValue === undefined ? [parameters[name]] : parameters[name].multiValue;
    values.forEach((one) => pairs.push(`${name}=${one.value}`));
  });
  return pairs.join('&');
}
