package io.formacdc.duckdb;

import io.formacdc.core.*;
import java.sql.*;
import java.util.*;
import org.junit.jupiter.api.Test;

class SmokeIT {
    @Test
    void smoke() throws Exception {
        try (TestHost host = new TestHost()) {
            host.sql(
                    "INSERT INTO entity_main(ltbase_schema_id,ltbase_row_id,text_01,integer_01,uuid_01,ltbase_created_at,ltbase_updated_at) SELECT 7,gen_random_uuid(),'n'||i,i,gen_random_uuid(),1,1790000000000+i FROM generate_series(1,25000) i");
            host.sql("INSERT INTO eav_data SELECT 7,ltbase_row_id,1,'',null,integer_01*0.5 FROM entity_main");
            host.sql(
                    "INSERT INTO eav_data SELECT 7,ltbase_row_id,2,j::text,'x'||j,null FROM entity_main, generate_series(0,2) j WHERE integer_01<100");
            host.sql("INSERT INTO change_log SELECT 7,ltbase_row_id,0,ltbase_updated_at,null FROM entity_main");
            for (SchemaRegistry r : Arrays.asList(
                    null,
                    TestHost.registry(
                            7,
                            new SchemaAttributes(
                                    "city",
                                    List.of(
                                            Attribute.bound("name", 10, ValueType.TEXT, "text_01"),
                                            Attribute.bound("ref", 11, ValueType.UUID, "uuid_01"),
                                            Attribute.eav("half", 1, ValueType.NUMERIC),
                                            Attribute.list("tags", 2, ValueType.TEXT)))))) {
                host.sql("UPDATE change_log SET flushed_at=0");
                long t = System.nanoTime();
                System.out.println(host.flush(r));
                System.out.println((System.nanoTime() - t) / 1e6 + " ms");
                try (Lake lake = Lake.open(host.config().build(), host.client, 7);
                        Statement s = lake.connection().createStatement();
                        ResultSet rs = s.executeQuery("SELECT *, count(*) over () FROM lake LIMIT 3")) {
                    int n = rs.getMetaData().getColumnCount();
                    while (rs.next()) {
                        StringBuilder b = new StringBuilder();
                        for (int i = 1; i <= n; i++)
                            b.append(rs.getMetaData().getColumnName(i) + "=" + rs.getObject(i) + " ");
                        System.out.println(b);
                    }
                }
            }
        }
    }
}
