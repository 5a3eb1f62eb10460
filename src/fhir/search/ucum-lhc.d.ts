/** The part of @lhncbc/ucum-lhc that is used; the package has no types of its own. */
declare module '@lhncbc/ucum-lhc' {
  interface BaseUnits {
    status: 'succeeded' | 'invalid' | 'failed' | 'error';
    magnitude: number;
    unitToExp: Record<string, number>;
  }
  interface Validated {
    status: 'valid' | 'invalid' | 'error';
  }
  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    convertToBaseUnits(code: string, value: number): BaseUnits;
    validateUnitString(code: string): Validated;
  }
}
