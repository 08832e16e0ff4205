// `web.js http|cluster|net PORT` serve; `web.js ask ADDRESS PORT COUNT` and `web.js echo ADDRESS PORT COUNT` are clients.
const cluster = require('cluster'), http = require('http'), net = require('net')
const [kind, ...rest] = process.argv.slice(2)
const ready = () => console.log('ready')

function serveHTTP(port, announce) {
  http.createServer((request, response) => {
    const name = request.socket.remoteAddress.replace('::ffff:', '')
    request.on('data', () => {}).on('end', () => response.end(`${name} ${process.pid}\n`))
  }).listen(port, announce)
}

if (kind === 'http') serveHTTP(+rest[0], ready)
if (kind === 'cluster') {
  if (cluster.isPrimary) {
    let listening = 0
    cluster.on('listening', () => { if (++listening === 2) ready() })
    for (let i = 0; i < 2; i++) cluster.fork()
  } else serveHTTP(+rest[0])
}
if (kind === 'net') net.createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(+rest[0], ready)
if (kind === 'ask') {
  const [host, port, count] = rest
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  let done = 0
  const seen = new Set()
  for (let i = 0; i < count; i++) {
    // Every other request on a connection of its own.
    http.request({ host, port, method: 'POST', agent: i % 2 ? agent : false }, response => {
      let text = ''
      response.on('data', chunk => { text += chunk }).on('end', () => {
        seen.add(text.split(' ')[0])
        if (++done === +count) { console.log('ok', [...seen].join(' ')); process.exit() }
      })
    }).on('error', error => { console.error(error.message); process.exit(1) }).end('x'.repeat(1000))
  }
}
if (kind === 'echo') {
  const [host, port, count] = rest
  const block = Buffer.alloc(1 << 20, 'slim')
  const socket = net.connect(+port, host)
  let received = 0
  socket.on('data', data => { received += data.length })
    .on('end', () => { console.log(received === count * block.length ? 'ok' : `${received} bytes`); process.exit() })
    .on('error', error => { console.error(error.message); process.exit(1) })
  let left = +count
  const send = () => {
    while (left-- > 0) if (!socket.write(block)) return socket.once('drain', send)
    socket.end()
  }
  socket.on('connect', send)
}
