// https://hl7.org/fhir/R4/terminology-service.html
import type { Json } from '../../fhir/types.ts';
import { Failure } from '../../outcome.ts';
import { assertThere, type FhirRequest, type Interaction, type RestParts } from '../fhir.ts';
import { OperationParameters, out, parametersOf } from './parameters.ts';

/** The resource of an instance-level call. @throws Failure `not-found`, `gone` */
async function instance(request: FhirRequest, { store }: RestParts): Promise<Json | undefined> {
  const [type = '', id] = request.path;
  if (id === undefined || id.startsWith('$')) return undefined;
  const version = await store.read({ type, id });
  assertThere(type, version);
  return JSON.parse(version.json) as Json;
}

/** What the operation is about: the instance, a resource in the body, or a canonical URL. @throws Failure `malformed` */
async function subject(
  request: FhirRequest,
  parts: RestParts,
  given: OperationParameters,
  name: string,
): Promise<Json | string> {
  const found = (await instance(request, parts)) ?? given.object(name) ?? given.text('url');
  if (found === undefined) throw new Failure('malformed', `the parameter 'url' or '${name}' is missing`);
  return found;
}

/** `ValueSet/$expand`. https://hl7.org/fhir/R4/valueset-operation-expand.html */
export const expand: Interaction = async (request, parts) => {
  const given = new OperationParameters(request, 'valueSet');
  const valueSet = await subject(request, parts, given, 'valueSet');
  const body = await parts.canonicals.terminology((terminology) =>
    terminology.expand({
      valueSet,
      valueSetVersion: given.text('valueSetVersion'),
      filter: given.text('filter'),
      offset: given.number('offset'),
      count: given.number('count'),
      includeDesignations: given.flag('includeDesignations'),
      designation: given.texts('designation'),
      includeDefinition: given.flag('includeDefinition'),
      activeOnly: given.flag('activeOnly'),
      excludeNested: given.flag('excludeNested'),
      excludeNotForUI: given.flag('excludeNotForUI'),
      displayLanguage: given.text('displayLanguage'),
      excludeSystem: given.texts('exclude-system'),
      identifier: `urn:uuid:${parts.ids.next()}`,
      timestamp: new Date(parts.clock.now()).toISOString(),
    }),
  );
  return { status: 200, body };
};

function codeOf(given: OperationParameters) {
  return {
    code: given.text('code'),
    display: given.text('display'),
    coding: given.object('coding'),
    codeableConcept: given.object('codeableConcept'),
    abstract: given.flag('abstract'),
    displayLanguage: given.text('displayLanguage'),
  };
}

function validation({ result, message, display }: { result: boolean; message?: string; display?: string }): Json {
  return parametersOf([
    out('result', 'Boolean', result),
    out('message', 'String', message),
    out('display', 'String', display),
  ]);
}

/** `ValueSet/$validate-code`. https://hl7.org/fhir/R4/valueset-operation-validate-code.html */
export const validateInValueSet: Interaction = async (request, parts) => {
  const given = new OperationParameters(request, 'valueSet');
  const valueSet = await subject(request, parts, given, 'valueSet');
  const found = await parts.canonicals.terminology((terminology) =>
    terminology.validateInValueSet({
      valueSet,
      valueSetVersion: given.text('valueSetVersion'),
      system: given.text('system'),
      systemVersion: given.text('systemVersion'),
      ...codeOf(given),
    }),
  );
  return { status: 200, body: validation(found) };
};

/** `CodeSystem/$validate-code`. https://hl7.org/fhir/R4/codesystem-operation-validate-code.html */
export const validateInCodeSystem: Interaction = async (request, parts) => {
  const given = new OperationParameters(request, 'codeSystem');
  const coding = given.object('coding');
  const codeSystem =
    (await instance(request, parts)) ??
    given.object('codeSystem') ??
    given.text('url') ??
    (coding?.system as string | undefined);
  if (codeSystem === undefined) throw new Failure('malformed', "the parameter 'url' or 'codeSystem' is missing");
  const found = await parts.canonicals.terminology((terminology) =>
    terminology.validateInCodeSystem({ codeSystem, version: given.text('version'), ...codeOf(given) }),
  );
  return { status: 200, body: validation(found) };
};

/** `CodeSystem/$lookup`. https://hl7.org/fhir/R4/codesystem-operation-lookup.html */
export const lookup: Interaction = async (request, parts) => {
  const given = new OperationParameters(request);
  const coding = given.object('coding');
  const found = await parts.canonicals.terminology((terminology) =>
    terminology.lookup({
      system: (coding?.system as string | undefined) ?? given.required('system'),
      code: (coding?.code as string | undefined) ?? given.required('code'),
      version: given.text('version') ?? (coding?.version as string | undefined),
      displayLanguage: given.text('displayLanguage'),
      property: given.texts('property'),
    }),
  );
  const body = parametersOf([
    out('name', 'String', found.name),
    out('version', 'String', found.version),
    out('display', 'String', found.display),
    ...found.designation.map(({ language, use, value }) => ({
      name: 'designation',
      part: [out('language', 'Code', language), out('use', 'Coding', use), out('value', 'String', value)].filter(
        (it) => it,
      ),
    })),
    ...found.property.map(({ code, description, ...value }) => ({
      name: 'property',
      part: [
        out('code', 'Code', code),
        ...Object.entries(value).map(([key, it]) => ({ name: 'value', [key]: it })),
        out('description', 'String', description),
      ].filter((it) => it),
    })),
  ]);
  return { status: 200, body };
};

/** `CodeSystem/$subsumes`. https://hl7.org/fhir/R4/codesystem-operation-subsumes.html */
export const subsumes: Interaction = async (request, parts) => {
  const given = new OperationParameters(request);
  const [a, b] = [given.object('codingA'), given.object('codingB')];
  const own = await instance(request, parts);
  const system = (own?.url ?? given.text('system') ?? a?.system) as string | undefined;
  if (system === undefined) throw new Failure('malformed', "the parameter 'system' is missing");
  const outcome = await parts.canonicals.terminology((terminology) =>
    terminology.subsumes({
      system,
      version: given.text('version'),
      codeA: (a?.code as string | undefined) ?? given.required('codeA'),
      codeB: (b?.code as string | undefined) ?? given.required('codeB'),
    }),
  );
  return { status: 200, body: parametersOf([out('outcome', 'Code', outcome)]) };
};

/** `ConceptMap/$translate`. https://hl7.org/fhir/R4/conceptmap-operation-translate.html */
export const translate: Interaction = async (request, parts) => {
  const given = new OperationParameters(request, 'conceptMap');
  const own = (await instance(request, parts)) ?? given.object('conceptMap');
  const { result, message, match } = await parts.canonicals.terminology((terminology) =>
    terminology.translate({
      conceptMap: own ? [own] : given.text('url'),
      conceptMapVersion: given.text('conceptMapVersion'),
      code: given.text('code'),
      system: given.text('system'),
      coding: given.object('coding'),
      codeableConcept: given.object('codeableConcept'),
      source: given.text('source'),
      target: given.text('target'),
      targetSystem: given.text('targetsystem') ?? given.text('targetSystem'),
      reverse: given.flag('reverse'),
      dependency: given.objects('dependency').map(dependencyOf),
    }),
  );
  const body = parametersOf([
    out('result', 'Boolean', result),
    out('message', 'String', message),
    ...match.map(({ equivalence, concept, product = [], source }) => ({
      name: 'match',
      part: [
        out('equivalence', 'Code', equivalence),
        out('concept', 'Coding', concept),
        ...product.map((it) => ({ name: 'product', part: productOf(it) })),
        out('source', 'Uri', source),
      ].filter((it) => it),
    })),
  ]);
  return { status: 200, body };
};

/** The parts `element` and `concept` of a dependency. @throws Failure `malformed` */
function dependencyOf(parts: Json): { element: string; concept: Json } {
  const part = (name: string): Json | undefined =>
    Array.isArray(parts) ? parts.find((it) => it?.name === name) : undefined;
  const [element, concept] = [part('element')?.valueUri, part('concept')?.valueCodeableConcept];
  if (typeof element !== 'string' || typeof concept !== 'object')
    throw new Failure('malformed', "the parameter 'dependency' has the parts element and concept");
  return { element, concept };
}

function productOf({ property, system, value, display }: Json): (Json | undefined)[] {
  const concept = { ...(system && { system }), code: value, ...(display && { display }) };
  return [out('element', 'Uri', property), out('concept', 'Coding', concept)];
}
