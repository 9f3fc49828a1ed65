/** Runs the routing decision in nginx: a variable that names the internal location, and the edge's own answers. */

import route from 'route.js';

function decide(r) {
  // As received: nginx has decoded $uri and resolved its dot segments, which would hide a hostile path.
  const uri = r.variables.request_uri;
  const mark = uri.indexOf('?');
  return route(r.method, mark < 0 ? uri : uri.slice(0, mark), mark < 0 ? '' : uri.slice(mark + 1), {
    accept: r.headersIn['Accept'],
    'accept-encoding': r.headersIn['Accept-Encoding'],
  });
}

/** Internal location that serves the request, e.g. `/_static/dicomweb/studies/1/metadata`. */
function target(r) {
  const decision = decide(r);
  if (decision.origin === 'edge') {
    return '/_edge';
  }
  return `/_${decision.origin}${decision.key === undefined ? decision.path : `/${decision.key}`}`;
}

/** Give the answer that needs no origin. */
function answer(r) {
  const decision = decide(r);
  Object.keys(decision.headers).forEach((name) => {
    r.headersOut[name] = decision.headers[name];
  });
  r.return(decision.status, decision.body);
}

export default { target, answer };
