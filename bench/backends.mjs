// PostgreSQL and RabbitMQ for a bench of several replicas: says where they are, one line of JSON, and runs until its input ends.
import {startPostgres, startRabbit} from '../tests/e2e/servers.mjs';

const after = [], t = {after: f => after.unshift(f)};
const [pg, rabbit] = [await startPostgres(t, {durable: true}), await startRabbit(t)];
console.log(JSON.stringify({store: pg.uri, broker: rabbit.uri}));
const end = async () => { for (const f of after.splice(0)) await f(); process.exit(0); };
process.stdin.on('end', end).resume();
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, end);
