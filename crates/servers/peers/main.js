// Node's http. It stops as the documentation of server.close and server.closeAllConnections says.
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

const milliseconds = (name) => Number(process.env[name]);
const page = fs.readFileSync(process.env.PAGE);
const big = Buffer.alloc(32 * 1024 * 1024, '.');

// Waits at the gate.
function wait(path, then) {
  const [host, port] = process.env.GATE.split(':');
  const gate = net.connect(Number(port), host, () => gate.write(`GET ${path} HTTP/1.0\r\n\r\n`));
  gate.resume();
  gate.on('end', then);
}

function answer(request, response) {
  const send = (body) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Length', body.length);
    response.end(body);
  };
  switch (request.url) {
    case '/': return send(page);
    case '/sleep': return wait('/sleep', () => send(page));
    case '/big': return send(big);
    case '/echo': {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      return request.on('end', () => send(Buffer.concat(parts)));
    }
    case '/panic': return wait('/panic', () => { throw new Error('as it was asked to'); });
    default:
      response.statusCode = 404;
      return response.end();
  }
}

const patience = milliseconds('PATIENCE');
const server = http.createServer({
  headersTimeout: patience,
  requestTimeout: patience,
  connectionsCheckingInterval: Math.min(patience, 500),
}, answer);

process.once('SIGTERM', () => {
  server.close();
  setTimeout(() => server.closeAllConnections(), milliseconds('GRACE')).unref();
});

const [host, port] = process.argv[2].split(':');
server.listen(Number(port), host, () => {
  const { address, port } = server.address();
  console.error(`listening on ${address}:${port}`);
});
