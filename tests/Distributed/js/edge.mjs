// One foreign system at the broker: takes commands as JSON lines, answers each with its id, and tells of every message it gets.
// usage: node edge.mjs amqp://user:password@host:port
import amqp from 'amqplib';
import { createInterface } from 'node:readline';

const address = process.argv[2];
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
let connection;
let channel;
let replies;

async function open() {
  if (channel) return channel;
  if (!connection) {
    connection = await amqp.connect(address);
    connection.on('error', () => {});
    connection.on('close', () => { connection = channel = replies = undefined; });
  }
  const opened = await connection.createConfirmChannel();
  const gone = () => {
    if (channel === opened) channel = replies = undefined;
  };
  opened.on('error', gone);
  opened.on('close', gone);
  return (channel = opened);
}

const shown = (message) => ({
  exchange: message.fields.exchange,
  routingKey: message.fields.routingKey,
  redelivered: message.fields.redelivered,
  properties: message.properties,
  headers: Object.fromEntries(Object.entries(message.properties.headers ?? {}).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('utf8') : value])),
  body: message.content.toString('utf8'),
});

const bytes = (command) => command.base64 ? Buffer.from(command.base64, 'base64') : Buffer.from(command.body, 'utf8');

// Resolves when the broker has confirmed; rejects when it refuses, or closes the channel over it.
const publish = (on, command, options) => new Promise((resolve, reject) => {
  const closed = (error) => reject(error ?? new Error('closed'));
  on.once('error', closed);
  on.once('close', closed);
  on.publish(command.exchange, command.key, bytes(command), { persistent: true, ...options }, (error) => {
    on.removeListener('error', closed);
    on.removeListener('close', closed);
    error ? reject(error) : resolve();
  });
});

const commands = {
  async publish(command) {
    const on = await open();
    for (let i = 0; i < (command.times ?? 1); i++) await publish(on, command, command.options);
  },

  // Asks for an answer by RabbitMQ's direct reply-to.
  async request(command) {
    const on = await open();
    if (!replies) {
      replies = new Map();
      await on.consume('amq.rabbitmq.reply-to', (message) => replies.get(message.properties.correlationId)?.(shown(message)), { noAck: true });
    }
    const correlationId = command.options?.correlationId ?? `r${command.id}`;
    const answer = new Promise((resolve) => replies.set(correlationId, resolve));
    await publish(on, command, { replyTo: 'amq.rabbitmq.reply-to', ...command.options, correlationId });
    return await answer;
  },

  async bind(command) {
    const on = await open();
    await on.assertQueue(command.queue, { durable: !command.passing, exclusive: command.passing, arguments: command.passing ? {} : { 'x-queue-type': 'quorum' } });
    await on.bindQueue(command.queue, command.exchange, command.key);
  },

  async unbind(command) {
    await (await open()).unbindQueue(command.queue, command.exchange, command.key);
  },

  async rebind(command) {
    await (await open()).bindQueue(command.queue, command.exchange, command.key);
  },

  async consume(command) {
    const on = await open();
    await on.consume(command.queue, (message) => {
      if (!message) return;
      say({ message: shown(message), queue: command.queue });
      on.ack(message);
    });
  },

  // Takes one message for good; null when there is none.
  async get(command) {
    const message = await (await open()).get(command.queue, { noAck: true });
    return message ? shown(message) : null;
  },

  async delete(command) {
    await (await open()).deleteQueue(command.queue);
  },

  // Fails, and closes the channel, where there is none.
  async exchange(command) {
    await (await open()).checkExchange(command.exchange);
  },

  async count(command) {
    return (await (await open()).checkQueue(command.queue)).messageCount;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command).then(
    (result) => say({ id: command.id, result: result ?? null }),
    (error) => say({ id: command.id, error: String(error?.message ?? error) }));
}
process.exit(0);
