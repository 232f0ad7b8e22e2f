import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: "../clients/openapi.json",
  // With the extension, Node runs the client as it is, without a bundler.
  output: { path: "../clients/typescript", importFileExtension: ".ts" },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
});
