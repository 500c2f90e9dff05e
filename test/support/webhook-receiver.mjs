/** A receiver of webhooks: takes every call on a port of all addresses, and prints each as a line of JSON with its headers and body. Usage: webhook-receiver.mjs <port> */
import { createServer } from 'node:http';

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    console.log(JSON.stringify({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }));
    response.writeHead(204).end();
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('{}'));
