// Holds each file given against CycloneDX' JSON schema of its spec version, strictly: a field that the schema does not know is a fault.
import { readFileSync } from 'node:fs'
import { Validation } from '@cyclonedx/cyclonedx-library'

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8')
  const faults = await new Validation.JsonStrictValidator(JSON.parse(text).specVersion).validate(text)
  console.log(faults === null ? 'valid' : JSON.stringify(faults))
}
