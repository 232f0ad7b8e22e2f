// The README's first request through the generated client, and a refusal read as a typed problem.
// Run by openapi/test.sh against a live server: node example.ts http://127.0.0.1:8000
import { computeGradients, type LayerSpec, type ProblemDocument } from "../clients/typescript/index.ts";
import { client } from "../clients/typescript/client.gen.ts";

// A server that needs an API key gets it with every request.
const apiKey = process.env.GRADD_API_KEY;
client.setConfig({
  baseUrl: process.argv[2] ?? "http://127.0.0.1:8000",
  headers: apiKey ? { Authorization: `Bearer ${apiKey}` } : {},
});

const layers: LayerSpec[] = [
  { kind: "dense", units: 3, activation: "tanh" },
  { kind: "dense", units: 1, activation: "sigmoid", name: "out" },
];
const parameters = {
  "1": { weight: [[0.1, 0.4, -0.5], [-0.2, 0.3, 0.2]], bias: [0, 0, 0] },
  out: { weight: [[0.7], [-0.1], [0.2]], bias: [0.05] },
};
const batch = { inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [[0], [1], [1], [0]] };

// The kind of a layer narrows its type: `units` is known for dense only.
const sizes = layers.map((layer) => (layer.kind === "dense" ? layer.units : undefined));

const { data, error } = await computeGradients({
  body: { network: { layers }, parameters, batch, loss: { kind: "binary_cross_entropy" }, convention: "row", verify: true },
});
if (error || !data) throw new Error(JSON.stringify(error));

const refused = await computeGradients({
  body: { network: { layers }, parameters: {}, batch, loss: { kind: "binary_cross_entropy" } },
});
const problem: ProblemDocument | undefined = refused.error;

console.log(
  JSON.stringify({
    sizes,
    loss: data.loss,
    gradients: data.gradients,
    error: data.certificate?.relative_error,
    problem: problem && { type: problem.type, pointers: problem.errors.map((entry) => entry.pointer) },
  }),
);
