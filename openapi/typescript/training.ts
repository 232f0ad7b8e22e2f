// A network learns XOR as a job, through the generated client: posted, followed to its end, its model asked for gradients.
// Run by openapi/test.sh against a live server: node training.ts http://127.0.0.1:8000
import {
  computeGradients,
  createJob,
  getJob,
  listJobCheckpoints,
  listJobEvents,
  resumeJob,
  type Job,
  type JobRequest,
} from "../clients/typescript/index.ts";
import { client } from "../clients/typescript/client.gen.ts";

// A server that needs an API key gets it with every request.
const apiKey = process.env.GRADD_API_KEY;
client.setConfig({
  baseUrl: process.argv[2] ?? "http://127.0.0.1:8000",
  headers: apiKey ? { Authorization: `Bearer ${apiKey}` } : {},
});

const data = { inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [[0], [1], [1], [0]] };
const request: JobRequest = {
  network: { layers: [{ kind: "dense", units: 4, activation: "tanh" }, { kind: "dense", units: 1 }] },
  data,
  loss: { kind: "mean_squared_error" },
  optimizer: { kind: "adam", learning_rate: 0.05 },
  epochs: 400,
  batch_size: 4,
  seed: 2,
  name: "xor in TypeScript",
};

const created = await createJob({ body: request, headers: { "Idempotency-Key": "xor-in-typescript" } });
if (created.error || !created.data) throw new Error(JSON.stringify(created.error));

let job: Job = created.data;
while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
  const shown = await getJob({ path: { id: job.id }, query: { wait: 10 } });
  if (shown.error || !shown.data) throw new Error(JSON.stringify(shown.error));
  job = shown.data;
}
const model = job.result?.model;
if (!model) throw new Error(JSON.stringify(job.error));

const events = await listJobEvents({ path: { id: job.id }, query: { after: 1 } });
const checkpoints = await listJobCheckpoints({ path: { id: job.id } });
const gradients = await computeGradients({ body: { model, batch: data, loss: { kind: "mean_squared_error" } } });
const refused = await resumeJob({ path: { id: job.id } });

console.log(
  JSON.stringify({
    status: job.status,
    loss: gradients.data?.loss,
    epochs: events.data?.data.filter((event) => event.type === "metrics").length,
    last: checkpoints.data?.data.at(-1)?.epoch,
    refusal: refused.error?.type,
  }),
);
