/**
 * Runs the routing decision as a CloudFront Function (JavaScript runtime 2.0) on viewer requests.
 *
 * The distribution must have the origins named below. `static-identity` is the static bucket with the origin path
 * `/identity`. The prefix must not be part of the request's path, because the API receives the same request if the
 * object is missing. The cache key must contain the header `VARIANT` and all query strings, because one URL has several
 * representations.
 */

import cf from 'cloudfront';
import route from 'route.js';

const ORIGINS = { viewer: 'viewer', api: 'api', store: 'stow', static: 'static', identity: 'static-identity' };
// Not `x-edge-...`: CloudFront refuses functions that change headers with this prefix.
const VARIANT = 'x-variant';
// S3 answers 403 for a missing object if the client has no permission to list.
const MISSING = [403, 404];
// A response headers policy adds these to the responses of origins, but not to those of the function.
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
    // Without Accept, API Gateway returns a binary response in base64. A missing Accept means */* (RFC 9110 §12.5.1).
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

/** The value of a header as one text, or undefined if the header is absent. */
function headerText(header) {
  if (header === undefined) {
    return undefined;
  }
  return header.multiValue === undefined ? header.value : header.multiValue.map((one) => one.value).join(', ');
}

/** The query as received, from CloudFront's object of names and values, which are still encoded. */
function queryText(parameters) {
  const pairs = [];
  Object.keys(parameters).forEach((name) => {
    const values = parameters[name].multiValue === undefined ? [parameters[name]] : parameters[name].multiValue;
    values.forEach((one) => pairs.push(`${name}=${one.value}`));
  });
  return pairs.join('&');
}
